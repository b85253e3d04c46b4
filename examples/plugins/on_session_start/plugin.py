"""Notes in the agent's home who began which session, and where."""

import json

from serai.plugin import hookimpl
from serai.ports.scope import current_profile


@hookimpl
def on_session_start(session_id, source):
    line = {"session": session_id, "platform": source["platform"], "user": source["user_id"]}
    with (current_profile().home / "sessions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
