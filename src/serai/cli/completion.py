"""A chat completion of the running gateway, printed (SPEC 11.3)."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import click

from serai.cli.document import print_json
from serai.cli.failure import Failed
from serai.cli.gateway import Gateway, fault
from serai.cli.printable import harmless

PATH = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of whom. Without `agent` routing decides; `session` goes on with a conversation. `reasoning` is
    how long the model thinks; without it that is the agent's."""

    text: str
    agent: str | None = None
    session: str | None = None
    streamed: bool = True
    reasoning: str | None = None


def print_answer(gateway: Gateway, question: Question, *, as_json: bool) -> None:
    """Asks, and prints the answer as it comes, or whole. Raises Failed where there is none."""
    with _asked(gateway, question) as response:
        lines = gateway.lines(response)
        if question.streamed and response.status == 200:
            print_pieces(_pieces(lines))
        else:
            _print_whole(response.status, b"".join(lines), as_json)


def pieces(gateway: Gateway, question: Question) -> Iterator[str]:
    """Asks, and gives the answer piece by piece; to close it early hangs up. Raises Failed."""
    with _asked(gateway, question) as response:
        lines = gateway.lines(response)
        if response.status != 200:
            _decoded(response.status, b"".join(lines))
        yield from _pieces(lines)


def _asked(gateway: Gateway, question: Question) -> AbstractContextManager[HTTPResponse]:
    body: dict[str, Any] = {
        "model": question.agent or "default",
        "messages": [{"role": "user", "content": question.text}],
        "stream": question.streamed,
    }
    if question.reasoning is not None:
        body["reasoning_effort"] = question.reasoning
    headers = {"X-Hermes-Session-Id": question.session} if question.session else {}
    return gateway.call("POST", PATH, body, headers, answer_s=None)


def _pieces(lines: Iterable[bytes]) -> Iterator[str]:
    """The pieces of text in a streamed completion. Raises Failed for an error event, or a stream that was cut."""
    for line in lines:
        field, _, value = line.partition(b":")
        if field != b"data":
            continue
        if value.strip() == b"[DONE]":
            return
        event = _decoded(200, value)
        yield from (text for choice in event.get("choices", ()) if (text := choice.get("delta", {}).get("content")))
    raise Failed("The answer was cut off: the gateway closed the connection before its end.")


def print_pieces(pieces: Iterable[str]) -> None:
    """Writes the pieces to standard output as they come, and ends the line."""
    last = "\n"
    try:
        for piece in pieces:
            text = harmless(piece)
            last = text[-1:] or last
            sys.stdout.write(text)
            sys.stdout.flush()
    finally:
        if last != "\n":
            click.echo()


def _print_whole(status: int, text: bytes, as_json: bool) -> None:
    document = _decoded(status, text)
    if as_json:
        print_json(document)
    else:
        click.echo(harmless(document["choices"][0]["message"]["content"] or ""))


def _decoded(status: int, text: bytes) -> dict[str, Any]:
    """A JSON answer. Raises Failed for an error, and for what is no JSON object."""
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if status != 200 or not isinstance(document, dict) or document.get("error"):
        raise Failed(fault(status, document))
    return document
