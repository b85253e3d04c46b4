"""Keeps what could not be delivered in the agent's home, so that somebody looks at it."""

from serai.plugin import hookimpl
from serai.ports.scope import current_profile


@hookimpl
def on_delivery(delivery_id, target, state):
    if state == "sent":
        return
    with (current_profile().home / "undelivered.txt").open("a", encoding="utf-8") as file:
        file.write(f"{delivery_id} to {target['platform']}:{target['chat_id']} is {state}\n")
