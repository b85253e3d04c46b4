"""OpenAI's agents SDK, over chat completions and over responses."""

import asyncio

import openai
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from report import KEY, PICTURE, URL, case, main

set_tracing_disabled(True)


def client(key=KEY):
    return openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=key, max_retries=0, timeout=60)


@function_tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    assert city == "Paris"
    return "sunny"


def agent(kind=OpenAIChatCompletionsModel, model="ops", key=KEY, tools=()):
    return Agent(name="A", instructions="Be brief.", model=kind(model, client(key)), tools=list(tools))


def asked(question="hello", **more):
    async def run():
        return (await Runner.run(agent(**more), question)).final_output

    return asyncio.run(run())


def streamed(**more):
    async def run():
        result = Runner.run_streamed(agent(**more), "hello")
        text = ""
        async for event in result.stream_events():
            if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
                text += event.data.delta
        assert text == result.final_output
        return text

    return asyncio.run(run())


def refused(**more):
    try:
        return asked(**more)
    except openai.APIStatusError as error:
        return [error.status_code, error.code]


PICTURED = [
    {
        "role": "user",
        "content": [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PICTURE}],
    }
]


@case
def chat():
    return asked()


@case
def stream():
    return streamed()


@case
def tools():
    return asked("the weather in Paris?", tools=[get_weather])


@case
def image():
    return asked(PICTURED)


@case
def errors():
    return [refused(key="fake-key-stranger"), refused(model="nobody"), refused(model="lost")]


@case
def responses():
    return asked(kind=OpenAIResponsesModel)


@case
def responses_stream():
    return streamed(kind=OpenAIResponsesModel)


@case
def responses_tools():
    return asked("the weather in Paris?", kind=OpenAIResponsesModel, tools=[get_weather])


@case
def responses_image():
    return asked(PICTURED, kind=OpenAIResponsesModel)


main()
