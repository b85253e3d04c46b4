"""Nothing that leaves the gateway holds a known secret, whoever says it; what is stored is what was said (SPEC 14)."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from serai.core.redact import MARK
from serai.testing.clock import virtual_time
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
    found = []
    for do in ("tell", "call", "fail"):
        for stream in (False, True):
            found.append(await on.call("POST", "/v1/chat/completions", _chat(agent, do, stream=stream)))
    tools = [{"type": "function", "function": WEATHER}]
    for stream in (False, True):
        found.append(
            await on.call("POST", "/v1/chat/completions", _chat(agent, "client", stream=stream, tools=tools))
        )
    return found


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
        for _ in range(2):  # while it goes on, and from what is on record
            found.append(await on.call("GET", f"/v1/runs/{name}/events"))
        found.append(await on.call("GET", f"/v1/runs/{name}"))
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
    await on.call("POST", "/api/deliveries", {"to": [f"webhook:room-{agent}"], "text": TOLD})
    await asyncio.sleep(2)
    return [*(Told(200, one.text) for one in chat.attempts), await on.call("GET", "/api/deliveries")]


async def web(on: Stage, agent: str) -> list[Told]:
    place = f"/web/chats/chat-of-{agent}"
    sent = await on.call("POST", f"{place}/messages", {"id": f"message-{agent}", "text": TOLD, "agent": agent})
    told = await on.call("GET", f"{place}/events", lines=12)
    await asyncio.sleep(2)
    return [sent, told, await on.call("GET", place), await on.call("GET", "/web/chats")]


async def jobs(on: Stage, agent: str) -> list[Told]:
    wish = {"agent": agent, "schedule": "every 10m", "prompt": TOLD, "name": ALL[2], "skills": ["know"]}
    made = await on.call("POST", "/api/jobs", wish)
    name = json.loads(made.raw)["id"]
    found = [made, await on.call("POST", f"/api/jobs/{name}/run")]
    await asyncio.sleep(30)
    found.append(await on.call("GET", f"/api/jobs/{name}/runs"))
    run = json.loads(found[-1].raw)["data"][0]["id"]
    found.append(await on.call("GET", f"/api/jobs/{name}/runs/{run}"))
    found += [Told(200, file.read_text()) for file in on.hosted.home.path.rglob("cron/output/**/*.md")]
    return found


async def mistakes(on: Stage, agent: str) -> list[Told]:
    """Errors that repeat what was asked."""
    return [
        await on.call("POST", "/v1/chat/completions", _chat(ALL[0], "tell")),
        await on.call("POST", "/v1/chat/completions", {"model": agent, "messages": [{"role": ALL[0]}]}),
        await on.call("GET", f"/api/sessions/{SECRETS['TEAM_KEY']}"),
        await on.call("POST", "/api/deliveries", {"to": [f"nowhere:{ALL[0]}"], "text": "x"}),
        await on.call("GET", "/metrics"),
        await on.call("GET", "/ready"),
        await on.call("GET", "/api/agents"),
    ]


Sink = Callable[[Stage, str], Awaitable[list[Told]]]


@pytest.mark.parametrize("agent", AGENTS)
@pytest.mark.parametrize("sink", [answers, responses, runs, sessions, chats, web, jobs, mistakes])
@virtual_time
async def test_no_secret_leaves(sink: Sink, agent: str, tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        found = await sink(on, agent)
    assert [leaks(one.whole) for one in found] == [[]] * len(found)
    assert MARK in "".join(one.raw for one in found)
    assert leaks(on.model.seen) == []
    log = tmp_path / "logs" / "serai.log"
    assert not log.exists() or leaks(log.read_text()) == []


@virtual_time
async def test_what_is_stored_is_what_was_said(tmp_path: Path) -> None:
    async with stage(tmp_path) as on:
        await sessions(on, "main")
        assert MARK in on.model.seen
    with sqlite3.connect(tmp_path / "serai.db") as db:
        bodies = [json.loads(body) for (body,) in db.execute("SELECT body FROM message ORDER BY n")]
    said = [one["text"] for one in bodies if one["role"] == "assistant"]
    assert said
    assert set(said) == {TOLD}
    assert any(TOLD in one["text"] for one in bodies if one["role"] == "user")
