"""An audit: who ran which tool with what, how it went, and how long it took."""

import json

from serai.plugin import hookimpl
from serai.ports.scope import current_profile


@hookimpl
def post_tool_call(turn_id, tool_name, args, status, duration_ms):
    line = {"turn": turn_id, "tool": tool_name, "args": args, "status": status, "ms": duration_ms}
    with (current_profile().home / "audit.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
