"""Keeps who allowed what in the agent's home."""

import json

from serai.plugin import hookimpl
from serai.ports.scope import current_profile


@hookimpl
def post_approval_response(approval_id, choice, decided_by):
    entry = {"approval": approval_id, "choice": choice, "by": decided_by}
    with (current_profile().home / "approvals.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
