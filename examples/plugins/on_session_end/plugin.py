"""Complains in the log when an agent fails three turns in a row."""

import logging
from collections import Counter

from serai.plugin import hookimpl

failures = Counter()


@hookimpl
async def on_session_end(agent_id, outcome):
    failures[agent_id] = failures[agent_id] + 1 if outcome == "failed" else 0
    if failures[agent_id] == 3:
        logging.getLogger(__name__).error("%s has failed three turns in a row", agent_id)
