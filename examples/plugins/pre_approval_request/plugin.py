"""Counts what an agent asks people for, so that a tool that is asked for all day long is noticed."""

import logging
from collections import Counter

from serai.plugin import hookimpl

asked = Counter()


@hookimpl
async def pre_approval_request(agent_id, tool_name):
    asked[agent_id, tool_name] += 1
    if asked[agent_id, tool_name] == 20:
        logging.getLogger(__name__).warning("%s has asked for %s 20 times", agent_id, tool_name)
