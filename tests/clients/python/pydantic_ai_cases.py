"""Pydantic AI, over chat completions and over responses."""

import asyncio

from openai import AsyncOpenAI
from pydantic_ai import Agent, ImageUrl
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from report import KEY, URL, case, main


def agent(kind=OpenAIChatModel, name="ops", key=KEY):
    client = AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0, timeout=60)
    made = Agent(kind(name, provider=OpenAIProvider(openai_client=client)), instructions="Be brief.")

    @made.tool_plain
    def get_weather(city: str) -> str:
        """The weather of a city."""
        assert city == "Paris"
        return "sunny"

    return made


def asked(question="hello", **more):
    async def run():
        result = await agent(**more).run(question)
        return result.output

    return asyncio.run(run())


def streamed(**more):
    async def run():
        async with agent(**more).run_stream("hello") as result:
            return "".join([piece async for piece in result.stream_text(delta=True)])

    return asyncio.run(run())


def refused(**more):
    try:
        return asked(**more)
    except ModelHTTPError as error:
        return [error.status_code, error.body["code"]]


PICTURED = ["What is this?", ImageUrl(url="https://pictures.example/dot.png", force_download=False)]


@case
def chat():
    return asked()


@case
def stream():
    return streamed()


@case
def tools():
    return asked("the weather in Paris?")


@case
def image():
    return asked(PICTURED)


@case
def errors():
    return [refused(key="fake-key-stranger"), refused(name="nobody"), refused(name="lost")]


@case
def responses():
    return asked(kind=OpenAIResponsesModel)


@case
def responses_stream():
    return streamed(kind=OpenAIResponsesModel)


@case
def responses_tools():
    return asked("the weather in Paris?", kind=OpenAIResponsesModel)


@case
def responses_image():
    return asked(PICTURED, kind=OpenAIResponsesModel)


main()
