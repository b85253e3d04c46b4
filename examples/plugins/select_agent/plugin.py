"""At night, one agent answers everybody."""

from datetime import datetime

from serai.plugin import hookimpl


@hookimpl
def select_agent():
    return "night" if datetime.now().hour < 6 else None
