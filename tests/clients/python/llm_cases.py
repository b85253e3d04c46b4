"""Simon Willison's `llm`, with the gateway as an extra model."""

import json
import os
from base64 import b64decode
from pathlib import Path

folder = Path.cwd() / "llm"
folder.mkdir(exist_ok=True)
os.environ["LLM_USER_PATH"] = str(folder)

import llm  # noqa: E402 - it reads its folder when it is imported
from report import KEY, PICTURE, URL, case, main  # noqa: E402

entry = {"api_base": f"{URL}/v1", "supports_tools": True, "vision": True}
entries = [
    {"model_id": "ours", "model_name": "ops", "api_key_name": "serai", **entry},
    {"model_id": "nobodys", "model_name": "nobody", "api_key_name": "serai", **entry},
    {"model_id": "strangers", "model_name": "ops", "api_key_name": "stranger", **entry},
    {"model_id": "lost", "model_name": "lost", "api_key_name": "serai", **entry},
]
(folder / "extra-openai-models.yaml").write_text(json.dumps(entries))
(folder / "keys.json").write_text(json.dumps({"serai": KEY, "stranger": "fake-key-stranger"}))


def get_weather(city: str) -> str:
    """The weather of a city."""
    assert city == "Paris"
    return "sunny"


def refused(name):
    try:
        return llm.get_model(name).prompt("hello", stream=False).text()
    except Exception as error:  # noqa: BLE001 - llm passes on whatever its client raises
        return [getattr(error, "status_code", None), getattr(error, "code", None)]


@case
def chat():
    return llm.get_model("ours").prompt("hello", stream=False).text()


@case
def stream():
    return "".join(llm.get_model("ours").prompt("hello", stream=True))


@case
def conversation():
    talk = llm.get_model("ours").conversation()
    return [talk.prompt("hello", stream=False).text(), talk.prompt("again", stream=False).text()]


@case
def tools():
    return llm.get_model("ours").chain("the weather in Paris?", tools=[get_weather]).text()


@case
def image():
    picture = llm.Attachment(content=b64decode(PICTURE.partition(",")[2]), type="image/png")
    return llm.get_model("ours").prompt("What is this?", attachments=[picture], stream=False).text()


@case
def errors():
    return [refused(name) for name in ("strangers", "nobodys", "lost")]


main()
