"""Card numbers never reach a model or the database; messages of muted people are dropped."""

import re

from serai.plugin import hookimpl

MUTED = {"spammer"}
CARD = re.compile(r"\b(?:\d[ -]?){13,16}\b")


@hookimpl
def pre_gateway_dispatch(source, text):
    if source["user_id"] in MUTED:
        return False
    return CARD.sub("[card number]", text)
