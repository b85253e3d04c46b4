"""Tells the model what day it is: it cannot know."""

from datetime import date

from serai.plugin import hookimpl


@hookimpl
async def pre_llm_call():
    return f"(Today is {date.today():%A, %d %B %Y}.)"
