"""Names of internal machines do not leave the house."""

import re

from serai.plugin import hookimpl

INTERNAL = re.compile(r"\b[\w-]+\.corp\.example\b")


@hookimpl
async def transform_llm_output(text):
    return INTERNAL.sub("[internal host]", text)
