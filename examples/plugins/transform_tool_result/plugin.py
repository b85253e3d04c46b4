"""Long results are cut in the middle: their beginning and their end mostly say enough."""

from serai.plugin import hookimpl

MOST = 4000


@hookimpl
async def transform_tool_result(result):
    if len(result) <= MOST:
        return None
    left_out = len(result) - MOST
    return f"{result[: MOST // 2]}\n[… {left_out} characters left out …]\n{result[-MOST // 2 :]}"
