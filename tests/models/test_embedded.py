"""The supervisor of the embedded model, with the real child process on a counterfeit llama.cpp (SPEC 7.2)."""

import asyncio
import importlib.util
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from serai.models import weights as weights_module
from serai.models.embedded import (
    CHILD,
    EmbeddedModel,
    EmbeddedModelError,
    EmbeddedModelMissing,
    EmbeddedState,
    Patience,
)
from tests.patience import PATIENCE_S
from tests.port import reserved

# Takes exactly the settings that the real one has among those we use, and serves what a test asks about.
XLLAMACPP = """
import http.server, json, os, sys, threading

class Settings:
    def __init__(self, *names): object.__setattr__(self, "names", names)
    def __setattr__(self, name, value):
        if name not in self.names: raise AttributeError(name)
        object.__setattr__(self, name, value)

class CommonParams(Settings):
    def __init__(self):
        super().__init__(
            "model_alias", "n_parallel", "n_ctx", "n_predict", "cache_ram_mib", "hostnames", "port", "api_keys",
            "cors_origins", "n_threads_http", "ui", "endpoint_slots", "offline", "verbosity")
        for name, names in {
            "model": ["path"], "cpuparams": ["n_threads"], "cpuparams_batch": ["n_threads"],
            "sampling": ["temp", "top_p", "penalty_freq", "dry_multiplier", "dry_penalty_last_n"],
        }.items():
            object.__setattr__(self, name, Settings(*names))

class Server:
    def __init__(self, params):
        if open(params.model.path).read() != "weights":
            print("native complaint", flush=True)
            os.write(2, b"E load: not a model\\n")
            raise RuntimeError("Failed to init server.")
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                known = self.headers["Authorization"] == f"Bearer {params.api_keys[0]}"
                self.send_response(200 if known else 401)
                self.end_headers()
                about = {"model": min(params.model_alias), "pid": os.getpid(), "host": params.hostnames,
                         "arguments": sys.argv, "environment": dict(os.environ),
                         "threads": params.cpuparams.n_threads}
                self.wfile.write(json.dumps(about if known else None).encode())
            def log_message(self, *_): pass
        server = http.server.ThreadingHTTPServer((params.hostnames[0], params.port), Handler)
        server.daemon_threads = True
        self.listening_address = f"http://{params.hostnames[0]}:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
"""

HASTE = Patience(ready=PATIENCE_S, stop=PATIENCE_S)


class Watch:
    """Takes what `on_state` is told and lets a test wait for a state. Skips all pauses, noting how long they were;
    `meanwhile` is what happens in them."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.reasons: list[str] = []
        self.pauses: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._news = asyncio.Event()

    def __call__(self, state: EmbeddedState, reason: str) -> None:
        self.states.append(state)
        self.reasons.append(reason)
        self._news.set()

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.meanwhile()

    async def until(self, *states: str) -> None:
        """Returns when the states so far end with these."""
        async with asyncio.timeout(PATIENCE_S):
            while self.states[-len(states) :] != list(states):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "Tiny-1M.Q4_1.gguf"
    path.write_text("weights")
    return path


@pytest.fixture
def command(tmp_path: Path) -> tuple[str, ...]:
    """The real child, which finds the counterfeit library first."""
    return child_with(tmp_path, XLLAMACPP)


@pytest.fixture
async def model(weights: Path, command: tuple[str, ...], watch: Watch) -> AsyncIterator[EmbeddedModel]:
    model = EmbeddedModel(weights, on_state=watch, patience=HASTE, pause=watch.pause, command=command)
    await model.start()
    yield model
    await model.stop()


def child_with(folder: Path, library: str) -> tuple[str, ...]:
    place = folder / "library"
    place.mkdir()
    (place / "xllamacpp.py").write_text(library)
    return ("/usr/bin/env", f"PYTHONPATH={place}", sys.executable, "-P", str(CHILD))


def script(source: str) -> tuple[str, ...]:
    """A child of a few lines that speaks the protocol badly."""
    return (sys.executable, "-I", "-S", "-c", source)


async def about(model: EmbeddedModel, key: str | None = None) -> Any:
    """What the counterfeit says of itself, or the status where it refuses."""
    headers = {"Authorization": f"Bearer {key or model.api_key}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{model.base_url}/models") as answer,
    ):
        return json.loads(await answer.text()) if answer.status == 200 else answer.status


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def port_of(address: str) -> int:
    return int(address.split(":")[2].split("/")[0])


async def test_it_answers_on_loopback_under_the_name_of_its_weights(model: EmbeddedModel) -> None:
    assert model.ready
    assert model.base_url.startswith("http://127.0.0.1:")
    assert model.base_url.endswith("/v1")
    facts = await about(model)
    assert facts["model"] == model.name == "tiny-1m"
    assert facts["host"] == ["127.0.0.1"]
    assert facts["threads"] == 1


async def test_it_wants_the_key(model: EmbeddedModel) -> None:
    assert await about(model, "fake-key-stranger") == 401


async def test_the_key_is_seen_neither_on_the_command_line_nor_in_the_environment(model: EmbeddedModel) -> None:
    facts = await about(model)
    assert model.api_key not in json.dumps(facts)
    # What the test itself sets, and what Python and macOS add on their own.
    assert set(facts["environment"]) <= {"PYTHONPATH", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}


async def test_two_models_have_two_keys(weights: Path) -> None:
    assert EmbeddedModel(weights).api_key != EmbeddedModel(weights).api_key


async def test_before_the_first_start_there_is_no_address(weights: Path) -> None:
    model = EmbeddedModel(weights)
    assert not model.ready
    with pytest.raises(EmbeddedModelError, match="has not been started"):
        _ = model.base_url


async def test_a_child_that_dies_comes_back_at_the_same_address_with_the_same_key(
    model: EmbeddedModel, watch: Watch
) -> None:
    address, first = model.base_url, await about(model)
    with ExitStack() as stack:
        watch.meanwhile = lambda: stack.enter_context(reserved(port_of(address)))
        kill(first["pid"])
        await watch.until("ready", "down", "ready")
    assert model.base_url == address
    assert (await about(model))["pid"] != first["pid"]
    assert watch.pauses == [0.5]
    assert "ended with code -9" in watch.reasons[-2]


async def test_while_the_child_is_down_the_model_is_not_ready(
    weights: Path, command: tuple[str, ...], watch: Watch
) -> None:
    asleep = asyncio.Event()

    async def sleep_on(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    model = EmbeddedModel(weights, on_state=watch, patience=HASTE, pause=sleep_on, command=command)
    await model.start()
    kill((await about(model))["pid"])
    await asleep.wait()
    assert not model.ready
    await model.stop()  # also ends the pause
    assert watch.states == ["starting", "ready", "down", "stopped"]


async def test_a_port_that_was_taken_meanwhile_is_given_up(
    weights: Path, command: tuple[str, ...], watch: Watch
) -> None:
    with socket.socket() as thief:

        async def steal(_: float) -> None:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            thief.bind(("127.0.0.1", port_of(threatened.base_url)))
            thief.listen()

        threatened = EmbeddedModel(weights, on_state=watch, patience=HASTE, pause=steal, command=command)
        await threatened.start()
        address = threatened.base_url
        kill((await about(threatened))["pid"])
        await watch.until("ready", "down", "ready")
        assert threatened.base_url != address
        assert (await about(threatened))["model"] == "tiny-1m"
        await threatened.stop()


FRAIL = """
import pathlib, sys
sys.stdin.readline()
runs = pathlib.Path({log!r})
with runs.open("a") as file: file.write("x")
run = len(runs.read_text())
if run == 1 or run == {last}: print('{{"port": 9}}', flush=True)
if run == {last}: sys.stdin.read()
sys.exit(3)
"""


async def test_the_pause_before_each_try_doubles_up_to_half_a_minute(
    tmp_path: Path, weights: Path, watch: Watch
) -> None:
    frail = script(FRAIL.format(log=str(tmp_path / "runs"), last=10))
    model = EmbeddedModel(weights, on_state=watch, patience=HASTE, pause=watch.pause, command=frail)
    await model.start()
    await watch.until("down", "ready")
    assert watch.pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert watch.reasons[-2] == "The embedded model ended with code 3. It said nothing. Next try in 30 s."
    await model.stop()


async def test_a_child_that_stayed_up_long_enough_starts_the_back_off_afresh(
    weights: Path, command: tuple[str, ...], watch: Watch
) -> None:
    steady_at_once = Patience(ready=PATIENCE_S, steady=0.0)
    model = EmbeddedModel(weights, on_state=watch, patience=steady_at_once, pause=watch.pause, command=command)
    await model.start()
    for _ in range(3):
        kill((await about(model))["pid"])
        await watch.until("down", "ready")
        watch.states.clear()
    assert watch.pauses == [0.5, 0.5, 0.5]
    await model.stop()


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_stop_ends_the_child_and_may_be_called_twice(model: EmbeddedModel, watch: Watch) -> None:
    pid = (await about(model))["pid"]
    await model.stop()
    await model.stop()
    assert not running(pid)
    assert not model.ready
    assert watch.states == ["starting", "ready", "stopped"]


async def test_a_stopped_model_can_be_started_again_at_its_address(model: EmbeddedModel) -> None:
    address = model.base_url
    await model.stop()
    with reserved(port_of(address)):
        await model.start()
    await model.start()  # once is enough
    assert model.base_url == address
    assert (await about(model))["model"] == "tiny-1m"


async def test_a_child_that_ignores_the_request_to_end_is_killed(weights: Path, watch: Watch) -> None:
    stubborn = """
import os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('{"port": %d}' % os.getpid(), flush=True)
while True: signal.pause()
"""
    patience = Patience(ready=PATIENCE_S, stop=0.05)
    model = EmbeddedModel(weights, on_state=watch, patience=patience, command=script(stubborn))
    await model.start()
    pid = port_of(model.base_url)
    assert running(pid)
    await model.stop()
    assert not running(pid)


PARENT = """
import asyncio, pathlib, sys
sys.path.insert(0, {source!r})
from serai.models.embedded import EmbeddedModel

async def main():
    model = EmbeddedModel(pathlib.Path({weights!r}), command={command!r})
    await model.start()
    print(model.base_url, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def ended(reader: asyncio.StreamReader) -> bool:
    """Waits until the other process is gone: the kernel then ends its connections."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_the_child_ends_with_its_parent_even_when_that_is_killed(
    weights: Path, command: tuple[str, ...]
) -> None:
    source = str(CHILD.parents[2])
    program = PARENT.format(source=source, weights=str(weights), command=command)
    pipe = asyncio.subprocess.PIPE
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=pipe)
    assert parent.stdout is not None
    address = (await parent.stdout.readline()).decode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(address))
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(PATIENCE_S):
        assert await ended(reader)
    writer.close()


@pytest.mark.parametrize("way", ["serai[local]", "serai model pull", "Ollama", "api_key_env"])
async def test_without_xllamacpp_the_ways_to_a_model_are_named(tmp_path: Path, weights: Path, way: str) -> None:
    absent = child_with(tmp_path, "raise ModuleNotFoundError('no such module', name='xllamacpp')")
    with pytest.raises(EmbeddedModelMissing) as caught:
        await EmbeddedModel(weights, command=absent).start()
    assert "xllamacpp, which is not installed" in str(caught.value)
    assert way in str(caught.value)


async def test_without_weights_the_ways_to_a_model_are_named(tmp_path: Path, watch: Watch) -> None:
    with pytest.raises(EmbeddedModelMissing, match=r"no weights at .*absent\.gguf.*serai model pull"):
        await EmbeddedModel(tmp_path / "absent.gguf", on_state=watch).start()
    assert watch.states == ["starting", "stopped"]


async def test_a_library_that_does_not_load_is_told_from_one_that_is_absent(tmp_path: Path, weights: Path) -> None:
    broken = child_with(tmp_path, "raise ImportError('libgomp.so.1: cannot open shared object file')")
    with pytest.raises(EmbeddedModelError, match="xllamacpp does not load: libgomp") as caught:
        await EmbeddedModel(weights, command=broken).start()
    assert not isinstance(caught.value, EmbeddedModelMissing)


async def test_a_start_that_fails_tells_the_librarys_last_words(
    weights: Path, command: tuple[str, ...], watch: Watch
) -> None:
    weights.write_text("rubbish")
    with pytest.raises(EmbeddedModelError, match=r"Failed to init.*native complaint / E load: not a model") as caught:
        await EmbeddedModel(weights, on_state=watch, command=command).start()
    assert watch.states == ["starting", "stopped"]
    assert watch.reasons[-1] == str(caught.value)


@pytest.mark.parametrize(
    ("source", "ready", "text"),
    [
        ("import sys; sys.exit('oh no')", PATIENCE_S, "ended with code 1. Its last words: oh no"),
        ("print('hello', flush=True); import sys; sys.stdin.read()", PATIENCE_S, "a line that is not its own"),
        ("print('x' * 100_000, flush=True); import sys; sys.stdin.read()", PATIENCE_S, "a line that is not its own"),
        ("import sys; sys.stdin.read()", 0.5, "did not come up within 0.5 s. It said nothing."),
    ],
)
async def test_a_child_that_does_not_introduce_itself_is_ended(
    weights: Path, source: str, ready: float, text: str
) -> None:
    model = EmbeddedModel(weights, patience=Patience(ready=ready), command=script(source))
    with pytest.raises(EmbeddedModelError) as caught:
        await model.start()
    assert text in str(caught.value)
    assert not model.ready


async def test_a_start_that_is_given_up_leaves_no_child(tmp_path: Path, weights: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    slow = (
        f"import os, sys; os.write(os.open({str(pipe)!r}, os.O_WRONLY), b'here'); sys.stdin.read(); sys.stdin.read()"
    )
    starting = asyncio.create_task(EmbeddedModel(weights, command=script(slow)).start())
    with await asyncio.to_thread(pipe.open, "rb") as alive:
        assert alive.read(4) == b"here"
        starting.cancel()
        await asyncio.wait({starting})
        assert await asyncio.to_thread(alive.read) == b""  # nobody holds the other end any more


async def test_an_interpreter_that_does_not_exist_is_named(weights: Path) -> None:
    with pytest.raises(EmbeddedModelError, match=r"cannot be started with /absent/python: No such file"):
        await EmbeddedModel(weights, python="/absent/python").start()


# --- the real model


def real_weights() -> Path:
    """The weights that `make test` has fetched next to the installed packages."""
    path = weights_module.find(Path(sys.prefix, "home"))
    if path is None:
        pytest.skip("the embedded model's weights could not be fetched")
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: pip install 'serai[local]'")
    return path


HELLO = {
    "messages": [
        {"role": "system", "content": "You are a friendly assistant. Keep answers short."},
        {"role": "user", "content": "Say hello in one sentence."},
    ],
    "max_tokens": 40,
    "temperature": 0,
    "seed": 1,
}
"""A question that is answered alike each time: by chance, so small a model may answer with nothing but a smiley."""


@pytest.mark.slow
async def test_the_real_model_says_hello() -> None:
    model = EmbeddedModel(real_weights(), patience=HASTE)
    await model.start()
    try:
        headers = {"Authorization": f"Bearer {model.api_key}"}
        connector = aiohttp.TCPConnector(force_close=True)  # the server may close one that it has just used
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            whole = await ask_whole(session, model.base_url)
            streamed = await ask_streaming(session, model.base_url)
    finally:
        await model.stop()
    for text, usage in (whole, streamed):
        assert any(character.isalpha() for character in text)
        assert usage["prompt_tokens"] > 10
        assert 0 < usage["completion_tokens"] <= 40
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def ask_whole(session: aiohttp.ClientSession, base_url: str) -> tuple[str, dict[str, int]]:
    async with session.post(f"{base_url}/chat/completions", json=HELLO) as answer:
        assert answer.status == 200
        body = await answer.json()
    assert body["model"] == "smollm2-135m-instruct"
    return body["choices"][0]["message"]["content"], body["usage"]


async def ask_streaming(session: aiohttp.ClientSession, base_url: str) -> tuple[str, dict[str, int]]:
    wanted = HELLO | {"stream": True, "stream_options": {"include_usage": True}}
    async with session.post(f"{base_url}/chat/completions", json=wanted) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        lines = (await answer.text()).split("\n\n")
    events = [line.removeprefix("data: ") for line in lines if line]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert chunks[-1]["choices"] == []
    deltas = [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta for delta in deltas if delta), chunks[-1]["usage"]
