"""LangChain's client for OpenAI."""

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from report import KEY, PICTURE, URL, case, main


def model(name="ops", key=KEY, **more):
    return ChatOpenAI(model=name, base_url=f"{URL}/v1", api_key=key, max_retries=0, timeout=60, **more)


@tool
def get_weather(city: str) -> str:
    """The weather of a city."""
    return "sunny"


def used(**more):
    bound = model(**more).bind_tools([get_weather])
    messages = [HumanMessage("the weather in Paris?")]
    asked = bound.invoke(messages)
    (call,) = asked.tool_calls
    assert call["args"] == {"city": "Paris"}
    return bound.invoke([*messages, asked, ToolMessage("sunny", tool_call_id=call["id"])]).text


def seen(**more):
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return model(**more).invoke([HumanMessage(content)]).text


def refused(**more):
    try:
        return model(**more).invoke("hello").text
    except openai.APIStatusError as error:
        return [error.status_code, error.code]


@case
def chat():
    answer = model().invoke("hello")
    assert answer.usage_metadata["total_tokens"] > 0
    return answer.text


@case
def stream():
    return "".join(chunk.text for chunk in model().stream("hello"))


@case
def tools():
    return used()


@case
def image():
    return seen()


@case
def errors():
    return [refused(key="fake-key-stranger"), refused(name="nobody"), refused(name="lost")]


@case
def responses():
    return model(use_responses_api=True).invoke("hello").text


@case
def responses_stream():
    return "".join(chunk.text for chunk in model(use_responses_api=True).stream("hello"))


@case
def responses_tools():
    return used(use_responses_api=True)


@case
def responses_image():
    return seen(use_responses_api=True)


main()
