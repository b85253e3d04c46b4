"""The official client of OpenAI."""

import json

import openai
from report import KEY, PICTURE, URL, case, main

client = openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY, max_retries=0, timeout=60)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def user(content):
    return {"role": "user", "content": content}


@case
def models():
    return [model.id for model in client.models.list()]


@case
def chat():
    answer = client.chat.completions.create(model="ops", messages=[user("hello")])
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    return answer.choices[0].message.content


@case
def stream():
    stream = client.chat.completions.create(
        model="ops", messages=[user("hello")], stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert chunks[-1].usage is not None
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@case
def image():
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return client.chat.completions.create(model="ops", messages=[user(content)]).choices[0].message.content


@case
def tools():
    messages = [user("the weather in Paris?")]
    asked = client.chat.completions.create(model="ops", messages=messages, tools=[WEATHER]).choices[0]
    assert asked.finish_reason == "tool_calls"
    (call,) = asked.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Paris"}, call
    messages += [asked.message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    return client.chat.completions.create(model="ops", messages=messages, tools=[WEATHER]).choices[0].message.content


@case
def streamed_tools():
    with client.chat.completions.stream(
        model="ops", messages=[user("the weather in Paris?")], tools=[WEATHER]
    ) as stream:
        for _ in stream:
            pass
        (call,) = stream.get_final_completion().choices[0].message.tool_calls
    return [call.function.name, json.loads(call.function.arguments)]


@case
def session():
    raw = client.chat.completions.with_raw_response
    first = raw.create(model="ops", messages=[user("hello")], extra_headers={"X-Hermes-Session-Id": "trip"})
    again = raw.create(model="ops", messages=[user("hello")], extra_headers={"X-Hermes-Session-Id": "trip"})
    return [one.headers["x-hermes-session-id"] for one in (first, again)]


@case
def errors():
    found = []
    stranger = client.with_options(api_key="fake-key-stranger")
    for who, model in ((stranger, "ops"), (client, "nobody"), (client, "lab"), (client, "lost")):
        try:
            who.chat.completions.create(model=model, messages=[user("hello")])
        except openai.APIStatusError as error:
            found.append([type(error).__name__, error.status_code, error.code])
    return found


@case
def error_in_a_stream():
    try:
        list(client.chat.completions.create(model="lost", messages=[user("hello")], stream=True))
    except openai.APIStatusError as error:
        return [error.status_code, error.code]


@case
def responses():
    first = client.responses.create(model="ops", input="hello")
    second = client.responses.create(model="ops", input="again", previous_response_id=first.id)
    assert client.responses.retrieve(second.id).output_text == second.output_text
    return [first.output_text, second.previous_response_id == first.id]


@case
def responses_stream():
    events = list(client.responses.create(model="ops", input="hello", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    return [text, events[0].type, events[-1].type]


@case
def responses_tools():
    tool = {"type": "function", "strict": False, **WEATHER["function"]}
    first = client.responses.create(model="ops", input="the weather in Paris?", tools=[tool])
    (call,) = [item for item in first.output if item.type == "function_call"]
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    second = client.responses.create(model="ops", input=[result], previous_response_id=first.id, tools=[tool])
    return second.output_text


@case
def responses_image():
    content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": PICTURE}]
    return client.responses.create(model="ops", input=[user(content)]).output_text


main()
