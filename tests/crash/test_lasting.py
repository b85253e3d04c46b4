"""A run, a background response and a call with an Idempotency-Key go on after a kill (SPEC 5.6, 11.5)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.crash.harness import Harness, harness
from tests.crash.home import API_KEY
from tests.patience import PATIENCE_S
from tests.process.gateway import GatewayProcess

pytestmark = pytest.mark.slow

HEADERS = {"Authorization": f"Bearer {API_KEY}"}
POINTS = [("model.during", 2), ("record_start.after", 1), ("record_end.after", 1), ("finish.before", 1)]


class Client:
    """A client of whichever gateway lives. `listened`: some of an answer was streamed to it."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession(headers=HEADERS, timeout=aiohttp.ClientTimeout(total=PATIENCE_S))
        self.url = ""
        self.listened = asyncio.Event()

    async def close(self) -> None:
        await self._http.close()

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, str]:
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self._http.post(self.url + path, json=body, headers=lines) as answer:
            return answer.status, await answer.text()

    async def get(self, path: str) -> Any:
        async with self._http.get(self.url + path) as answer:
            return await answer.json()

    async def follow(self, path: str, **headers: str) -> list[dict[str, Any]]:
        """The data of a stream's events, with their ids, up to its end or until the gateway dies."""
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        found = []
        try:
            async with self._http.get(self.url + path, headers=lines) as answer:
                while block := await answer.content.readuntil(b"\n\n"):
                    fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
                    if "data" in fields:
                        found.append({"id": fields.get("id", ""), **json.loads(fields["data"])})
                        if found[-1]["type"] == "message.delta":
                            self.listened.set()
        except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError):
            pass
        return found


async def dies(one: Harness, gateway: GatewayProcess) -> None:
    assert await gateway.ended() == -9
    one.kills += 1


def effects(one: Harness) -> int:
    return sum(entry.event == "effect" for entry in one.journal.read())


def asked_again(one: Harness, point: str) -> None:
    """The model was asked twice for the unfinished step at most, and once for all others."""
    counts = sorted(one.model.asks.values())
    assert counts == ([1, 2] if point in ("model.during", "finish.before") else [1, 1]), (point, one.model.asks)


@pytest.mark.parametrize(("point", "nth"), POINTS)
async def test_a_run_goes_on_and_so_does_its_stream(point: str, nth: int, tmp_path: Path) -> None:
    client = Client()
    async with harness(tmp_path, pace=lambda: 0.08, listened=client.listened.wait) as one:
        gateway = await one.start(point, nth)
        client.url = gateway.url
        _, begun = await client.post("/v1/runs", {"input": "m1 ping", "model": "ops"})
        run = json.loads(begun)["run_id"]
        seen = await client.follow(f"/v1/runs/{run}/events")
        await dies(one, gateway)
        second = await one.start()
        client.url = second.url
        last = {"Last_Event_ID": seen[-1]["id"]} if seen else {}
        rest = await client.follow(f"/v1/runs/{run}/events", **last)
        got = await client.get(f"/v1/runs/{run}")
        await client.close()
        await one.stop(second)
        sent = [*seen, *rest]
    assert (got["status"], got["run_id"]) == ("completed", run)
    assert rest[-1]["type"] == "run.completed"
    assert rest[-1]["output"] == got["output"]
    assert "".join(e["delta"] for e in sent if e["type"] == "message.delta") == got["output"]
    assert [e["type"] for e in sent if e["type"].startswith("tool.")] == ["tool.started", "tool.completed"]
    assert len({e["id"] for e in sent}) == len(sent)
    assert effects(one) == 1
    assert any(e["type"] == "message.delta" for e in seen) == (point in ("model.during", "finish.before"))
    asked_again(one, point)


@pytest.mark.parametrize(("point", "nth"), POINTS)
async def test_a_background_response_goes_on_and_so_does_its_stream(point: str, nth: int, tmp_path: Path) -> None:
    async with harness(tmp_path, pace=lambda: 0.08) as one:
        client = Client()
        gateway = await one.start(point, nth)
        client.url = gateway.url
        _, begun = await client.post("/v1/responses", {"input": "m1 note", "model": "ops", "background": True})
        response = json.loads(begun)["id"]
        seen = await client.follow(f"/v1/responses/{response}?stream=true")
        await dies(one, gateway)
        second = await one.start()
        client.url = second.url
        after = seen[-1]["sequence_number"] if seen else -1
        rest = await client.follow(f"/v1/responses/{response}?stream=true&starting_after={after}")
        got = await client.get(f"/v1/responses/{response}")
        await client.close()
        await one.stop(second)
        sent = [*seen, *rest]
    assert [e["sequence_number"] for e in sent] == list(range(len(sent)))
    assert sent[-1]["type"] == "response.completed"
    assert sent[-1]["response"]["output"] == got["output"]
    assert got["status"] == "completed"
    deltas = "".join(e["delta"] for e in sent if e["type"] == "response.output_text.delta")
    assert deltas == got["output"][0]["content"][0]["text"]
    assert effects(one) <= 1
    asked_again(one, point)


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "m1 note"}]}),
        ("/v1/responses", {"input": "m1 note"}),
    ],
)
@pytest.mark.parametrize(("point", "nth"), [*POINTS, ("finish.after", 1)])
async def test_a_repeated_request_gets_the_one_answer_after_a_kill(
    point: str, nth: int, path: str, body: Any, streamed: bool, tmp_path: Path
) -> None:
    async with harness(tmp_path, pace=lambda: 0.02) as one:
        client = Client()
        gateway = await one.start(point, nth)
        client.url = gateway.url
        wanted = {**body, "model": "ops", "stream": streamed}
        with pytest.raises(aiohttp.ClientError):
            await client.post(path, wanted, Idempotency_Key="k1")
        await dies(one, gateway)
        second = await one.start()
        client.url = second.url
        answers = await asyncio.gather(*(client.post(path, wanted, Idempotency_Key="k1") for _ in range(2)))
        again = await client.post(path, wanted, Idempotency_Key="k1")
        await client.close()
        await one.stop(second)
    told = {texts(text) for status, text in (*answers, again) if status == 200}
    assert len(told) == 1, (answers, again)
    (text,) = told
    assert text.startswith("answer to m1 from m-ops")
    assert text.count("answer to m1") == 1
    assert effects(one) <= 1
    asked_again(one, point)


def texts(text: str) -> str:
    """The answer in a document or a stream of either endpoint."""
    if not text.startswith(("data:", "event:", ":")):
        document = json.loads(text)
        if "choices" in document:
            said: str = document["choices"][0]["message"]["content"]
            return said
        answer: str = document["output"][0]["content"][0]["text"]
        return answer
    found = []
    for line in text.splitlines():
        if line.startswith("data: {"):
            document = json.loads(line.removeprefix("data: "))
            if document.get("type") == "response.output_text.delta":
                found.append(document["delta"])
            found += [choice["delta"].get("content") or "" for choice in document.get("choices", ())]
    return "".join(found)
