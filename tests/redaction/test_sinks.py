"""Nothing that leaves holds a known secret, whoever says it; what is stored is what was said (SPEC 14, 16.4)."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from serai.config.layout import Layout
from serai.core.redact import MARK
from serai.testing.clock import virtual_time
from tests.patience import PATIENCE_S
from tests.redaction.cast import AGENTS, ALL, SECRETS, TOLD, Stage, Told, leaks, stage

PASTED = f"Here is what I have: {TOLD} do: tell"
WEATHER = {"name": "weather", "description": TOLD, "parameters": {"type": "object", "description": TOLD}}


def _chat(agent: str, do: str, **more: Any) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": TOLD},
        {"role": "user", "content": PASTED},
        {"role": "assistant", "content": TOLD},
        {"role": "user", "content": f"{TOLD} do: {do}"},
    ]
    return {"model": agent, "messages": messages, "user": ALL[0], **more}


async def answers(on: Stage, agent: str) -> list[Told]:
    """Whole and streamed; over a tool; failing; with a call for the client."""
    tools = [{"type": "function", "function": WEATHER}]
    asks = [
        *(_chat(agent, do, stream=stream) for do in ("tell", "call", "fail") for stream in (False, True)),
        *(_chat(agent, "client", stream=stream, tools=tools) for stream in (False, True)),
    ]
    return [await on.call("POST", "/v1/chat/completions", ask) for ask in asks]


async def responses(on: Stage, agent: str) -> list[Told]:
    found = []
    for stream in (False, True):
        for do in ("tell", "call", "fail"):
            ask = {"model": agent, "instructions": TOLD, "input": f"{TOLD} do: {do}", "stream": stream}
            found.append(await on.call("POST", "/v1/responses", ask))
    name = json.loads(found[0].raw)["id"]
    found.append(await on.call("GET", f"/v1/responses/{name}"))
    found.append(await on.call("GET", f"/v1/responses/{name}/input_items"))
    found.append(await on.call("GET", f"/v1/responses/{name}?stream=true"))
    return found


async def runs(on: Stage, agent: str) -> list[Told]:
    found = []
    for do in ("tell", "call", "fail"):
        begun = await on.call("POST", "/v1/runs", {"model": agent, "input": f"{TOLD} do: {do}"})
        name = json.loads(begun.raw)["run_id"]
        events = f"/v1/runs/{name}/events"
        # the events while it goes on, and from what is on record
        found += [await on.call("GET", place) for place in (events, events, f"/v1/runs/{name}")]
    return found


async def sessions(on: Stage, agent: str) -> list[Told]:
    """What a session says, and what its history holds."""
    asked = await on.call("POST", "/v1/chat/completions", _chat(agent, "tell"))
    listed = await on.call("GET", f"/api/sessions?agent={agent}")
    name = json.loads(listed.raw)["data"][0]["id"]
    found = [asked, listed]
    for stream in (False, True):
        for do in ("tell", "call"):
            body = {"message": f"{TOLD} do: {do}", "stream": stream}
            found.append(await on.call("POST", f"/api/sessions/{name}/chat", body))
    found.append(await on.call("GET", f"/api/sessions/{name}/messages"))
    found.append(await on.call("PATCH", f"/api/sessions/{name}", {"title": TOLD[:150]}))
    return found


async def chats(on: Stage, agent: str) -> list[Told]:
    """What people get who write to a chat."""
    chat = on.hosted.connection()
    for do in ("tell", "call", "fail"):
        await chat.says(f"{TOLD} do: {do}", chat=f"room-{agent}")
        await chat.answer()
    sent = await on.call("POST", "/api/deliveries", {"target": f"webhook:room-{agent}", "text": TOLD})
    await chat.answer()
    assert sent.status == 202
    return [sent, *(Told(200, one.text) for one in chat.attempts), await on.call("GET", "/api/deliveries")]


async def web(on: Stage, agent: str) -> list[Told]:
    place = f"/web/chats/chat-of-{agent}"
    sent = await on.call("POST", f"{place}/messages", {"id": f"message-{agent}", "text": TOLD, "agent": agent})
    told = await on.call("GET", f"{place}/events", lines=12)
    while len(json.loads((said := await on.call("GET", place)).raw)["data"]) < 2:
        await asyncio.sleep(0.01)
    return [sent, told, said, await on.call("GET", "/web/chats")]


async def mistakes(on: Stage, agent: str) -> list[Told]:
    """Errors that repeat what was asked."""
    return [
        await on.call("POST", "/v1/chat/completions", _chat(ALL[0], "tell")),
        await on.call("POST", "/v1/chat/completions", {"model": agent, "messages": [{"role": ALL[0]}]}),
        await on.call("GET", f"/api/sessions/{SECRETS['TEAM_KEY']}"),
        await on.call("POST", "/api/deliveries", {"target": f"nowhere:{ALL[0]}", "text": "x"}),
        await on.call("GET", "/metrics"),
        await on.call("GET", "/ready"),
        await on.call("GET", "/api/agents"),
    ]


async def events(on: Stage, agent: str) -> list[Told]:
    """What people see who watch the gateway: the beginning of a turn, and why it failed."""
    watching = asyncio.create_task(on.call("GET", "/api/events", lines=10))
    await asyncio.sleep(0.05)
    return [await on.call("POST", "/v1/chat/completions", _chat(agent, "fail")), await watching]


Sink = Callable[[Stage, str], Awaitable[list[Told]]]


@pytest.mark.parametrize("sink", [answers, responses, runs, sessions, chats, web, events, mistakes])
@virtual_time
async def test_no_secret_leaves(sink: Sink, tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        found = [one for agent in AGENTS for one in await sink(on, agent)]
    assert [leaks(one.whole) for one in found] == [[]] * len(found)
    assert MARK in "".join(one.raw for one in found)
    assert leaks(on.model.seen) == []
    log = tmp_path / "logs" / "serai.log"
    assert not log.exists() or leaks(log.read_text()) == []


async def test_no_secret_leaves_by_a_job(tmp_path: Path) -> None:
    wish = {"agent": "den", "schedule": "every 10m", "prompt": TOLD, "name": ALL[2], "skills": ["know"]}
    async with stage(tmp_path) as on:
        made = await on.call("POST", "/api/jobs", wish)
        name = json.loads(made.raw)["id"]
        begun = await on.call("POST", f"/api/jobs/{name}/run")
        place = f"/api/jobs/{name}/runs/{json.loads(begun.raw)['id']}"
        async with asyncio.timeout(PATIENCE_S):
            while json.loads((run := await on.call("GET", place)).raw)["text"] is None:
                await asyncio.sleep(0.02)
        (kept,) = tmp_path.rglob("cron/output/**/*.md")
        found = [made, begun, run, await on.call("GET", f"/api/jobs/{name}/runs"), Told(200, kept.read_text())]
    assert [leaks(one.whole) for one in found] == [[]] * len(found)
    assert [MARK in one.raw for one in found] == [True, False, True, False, True]
    assert leaks(on.model.seen) == []


@virtual_time
async def test_what_is_stored_is_what_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await sessions(on, "main")
        assert MARK in on.model.seen
    with sqlite3.connect(Layout(tmp_path).database) as db:
        bodies = [json.loads(body) for (body,) in db.execute("SELECT body FROM message ORDER BY n")]
    said = [one["text"] for one in bodies if one["role"] == "assistant"]
    assert said
    assert set(said) == {TOLD}
    assert any(TOLD in one["text"] for one in bodies if one["role"] == "user")
