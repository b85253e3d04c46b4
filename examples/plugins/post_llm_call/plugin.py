"""Counts the tokens of each agent and model."""

from collections import Counter

from serai.plugin import hookimpl

tokens = Counter()


@hookimpl
async def post_llm_call(agent_id, model, usage):
    tokens[agent_id, model] += usage["input_tokens"] + usage["output_tokens"]
