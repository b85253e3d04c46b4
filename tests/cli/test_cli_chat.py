"""`serai chat` without a terminal: a line is a message, answers are plain text (SPEC 12)."""

import asyncio
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from serai.cli.chat.blocks import Blocks
from serai.cli.chat.conversation import Conversation
from serai.cli.chat.screen import RichScreen
from serai.cli.chat.slash import COMMANDS, offered
from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.core.ids import DEFAULT_ACCOUNT, Account, SessionId
from serai.core.lane import LaneAddress
from serai.core.principal import LOCAL
from serai.stores.sqlite.store import open_store
from serai.testing.store.stage import NOW, OPS, arrival, done, offer
from tests.cli.cron_home import CHECK, CONFIG, REPORT
from tests.cli.fake_gateway import FakeGateway
from tests.cli.stored import SESSION, store_conversation
from tests.cli.terminal import Said, Terminal
from tests.cli.test_cli_ask import PATH, piece
from tests.cli.test_cli_cron_gateway import job, page, run

MODELS = {"object": "list", "data": [{"id": "default"}, {"id": "main"}, {"id": "ops"}]}
OURS = "chat-0123456789ab"


@pytest.fixture
def talking(gateway: FakeGateway) -> FakeGateway:
    gateway.answers("/v1/models", MODELS)
    gateway.streams(PATH, piece("Good "), piece("**morning**"))
    return gateway


def store_ours(home: Path) -> None:
    """A session that this command line has had with ops."""
    asyncio.run(_store(home / "state.db"))


async def _store(path: Path) -> None:
    store = open_store(path)
    try:
        address = LaneAddress(OPS, "api_server", DEFAULT_ACCOUNT, "dm", chat=OURS)
        place = {"address": address, "connection": Account("api_server", DEFAULT_ACCOUNT)}
        wanted = replace(arrival(1), session=SessionId(OURS), owner=LOCAL.name, **place)  # type: ignore[arg-type]
        accepted = await store.accept(wanted)
        claim = await store.claim(accepted.lane, offer())
        assert claim is not None
        await store.finish(claim.fence, done(), NOW)
    finally:
        await store.close()


def asked(gateway: FakeGateway) -> list[tuple[str, str, str]]:
    """Message, model and session of each question."""
    return [
        (one.document["messages"][-1]["content"], one.document["model"], one.headers["x-hermes-session-id"])
        for one in gateway.asked
        if one.path == PATH
    ]


def test_each_line_is_a_message_of_one_session(serai: Terminal, talking: FakeGateway) -> None:
    said = serai("chat", typed="hello\n\nand again\n")
    assert (said.code, said.out, said.err) == (0, "Good **morning**\nGood **morning**\n", "")
    (first, model, session), (second, _, same) = asked(talking)
    assert (first, second, model) == ("hello", "and again", "default")
    assert session == same


def test_jobs_are_led_as_in_every_chat(serai: Terminal, talking: FakeGateway) -> None:
    serai.write(CONFIG)
    talking.answers("/api/jobs?agent=ops&limit=1000", page(job()))
    talking.answers("/api/jobs?limit=1000", page(job(), job(id=CHECK, agent="main")))
    talking.answers("/api/jobs", job(), 201)
    talking.answers(f"/api/jobs/{REPORT}?agent=ops", job(state="paused", next_runs=[]))
    talking.answers(f"/api/jobs/{REPORT}/run?agent=ops", run(), 202)
    talking.answers(f"/api/jobs/{REPORT}/runs/run_1?agent=ops", run())

    def done(line: str, agent: str = "ops") -> Said:
        said = serai("chat", "--agent", agent, typed=f"{line}\n")
        assert (said.code, asked(talking)) == (0, []), said
        return said

    assert REPORT in done("/cron").out
    assert CHECK not in done("/cron list").out
    assert CHECK in done("/cron list all").out
    assert CHECK in done("/cron list", "default").out
    assert done("/cron add 0 9 * * 1-5 -x, but --deliver web").out.startswith(f"Added job {REPORT} Morning report")
    assert talking.asked[-1].document == {
        "agent": "ops",
        "schedule": "0 9 * * 1-5",
        "prompt": "-x, but --deliver web",
    }
    assert done(f"/cron pause `{REPORT}`").out.startswith("Job Morning report is paused")
    assert done("/cron resume morning report").out.startswith("Resumed job")
    assert done("/cron RUN morn").out == "All is well.\n"
    assert done(f"/cron remove {REPORT}").out == "Removed job Morning report of agent `ops`.\n"
    assert talking.asked[-1].method == "DELETE"
    assert "/cron add SCHEDULE PROMPT" in done("/cron help").out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/cron preview", "`/cron preview` is nothing that I know. `/cron help` tells more."),
        ("/cron list mine", "Write `/cron list`, or `/cron list all`."),
        ("/cron add", "Write when and what: `/cron add every 2h Check the mail`. `/cron help` tells more."),
        ("/cron add every 2h", "behind `every 2h` must stand what is to be done then"),
        ("/cron add 30m -", "Write when and what: `/cron add every 2h Check the mail`. `/cron help` tells more."),
        ("/cron run", "Name the job: `/cron list` shows them."),
        ("/cron pause --help", "There is no job `--help`. `serai cron list --all` shows those there are."),
    ],
)
def test_what_cron_cannot_do_is_a_sentence(line: str, sentence: str, serai: Terminal, talking: FakeGateway) -> None:
    serai.write(CONFIG)
    talking.answers("/api/jobs?limit=1000", page())
    said = serai("chat", typed=f"{line}\n")
    assert (said.code, said.out, said.err) == (1, "", f"Error: {sentence}\n")


def test_a_terminal_cannot_be_a_home_chat(serai: Terminal, talking: FakeGateway) -> None:
    said = serai("chat", typed="/sethome\n")
    assert (said.code, asked(talking)) == (0, [])
    assert said.out.startswith("Nothing can be sent to a terminal. Write /sethome in a chat of the platform,")


def test_a_session_says_how_it_stands_and_takes_a_name(serai: Terminal, talking: FakeGateway) -> None:
    store_ours(serai.home)
    stored = {"agent": "ops", "messages": 2, "title": None}
    talking.answers(f"/api/sessions/{OURS}", stored)
    said = serai("chat", "--session", OURS, typed="/status\n/title\n/stop\n")
    assert said.out == (
        f"Session {OURS}, agent ops.\nops answers here, 2 messages.\nReasoning: default\n"
        "It has no title yet.\nNothing runs. Ctrl-C stops an answer.\n"
    )
    talking.answers(f"/api/sessions/{OURS}", stored | {"title": "The \x1b[1mcapital\n"})
    said = serai("chat", "--session", OURS, typed=f"/title  The   {'x' * 300}\n/status\n")
    assert talking.asked[-2].method == "PATCH"
    assert talking.asked[-2].document == {"title": "The " + "x" * 196}
    assert said.out.splitlines() == [
        "It is called “The  [1mcapital ”.",
        f"Session {OURS}, agent ops.",
        "ops answers here, 2 messages, “The  [1mcapital ”.",
        "Reasoning: default",
    ]
    assert serai("chat", typed="/title x\n/title\n/status\n").out.count("Nothing has been said here yet.") == 3


def test_the_model_thinks_as_long_as_it_is_told_until_that_is_taken_back(
    serai: Terminal, talking: FakeGateway
) -> None:
    said = serai("chat", typed="one\n/reasoning high\ntwo\n/new\nthree\n/reasoning default\nfour\n/reasoning\n")
    levels = [one.document.get("reasoning_effort") for one in talking.asked]
    assert levels == [None, "high", "high", None]
    assert said.out.endswith("Reasoning: default\n")


def test_an_agent_is_chosen_at_the_start_or_on_the_way_in_a_session_of_its_own(
    serai: Terminal, talking: FakeGateway
) -> None:
    serai("chat", "--agent", "main", typed="one\n/agent ops\ntwo\n/agent default\nthree\n")
    assert [model for _, model, _ in asked(talking)] == ["main", "ops", "default"]
    assert len({session for _, _, session in asked(talking)}) == 3


def test_a_new_session_keeps_the_agent(serai: Terminal, talking: FakeGateway) -> None:
    serai("chat", "--agent", "ops", typed="one\n/new\ntwo\n/quit\nthree\n")
    assert [(text, model) for text, model, _ in asked(talking)] == [("one", "ops"), ("two", "ops")]
    assert len({session for _, _, session in asked(talking)}) == 2


def test_a_stored_session_goes_on_with_its_agent(serai: Terminal, talking: FakeGateway) -> None:
    store_ours(serai.home)
    assert serai("chat", "--session", OURS, typed="one\n").code == 0
    said = serai("chat", typed=f"/session {OURS}\ntwo\n/sessions\n")
    assert "user: hi\nassistant: hello\n" in said.out
    assert f"Session {OURS}, agent ops." in said.out
    assert asked(talking) == [("one", "ops", OURS), ("two", "ops", OURS)]


def test_sessions_of_other_places_can_be_read_but_not_joined(serai: Terminal, talking: FakeGateway) -> None:
    store_conversation(serai.home)
    said = serai("chat", "--session", SESSION)
    assert (said.code, "can be read, not joined" in said.err) == (1, True)
    assert serai("chat", typed="/sessions\n").out == "No sessions yet\n"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("/agnet ops\n", "There is no command `/agnet` (did you mean `/agent`?)"),
        ("/agent opps\n", "Agent `opps` not found (did you mean `ops`?)"),
        ("/session nowhere\n", "Session `nowhere` not found"),
    ],
)
def test_a_wrong_command_is_one_sentence(typed: str, sentence: str, serai: Terminal, talking: FakeGateway) -> None:
    said = serai("chat", typed=typed)
    assert said.code == 1
    assert said.err.startswith(f"Error: {sentence}")
    assert asked(talking) == []


def test_a_message_may_begin_with_a_slash(serai: Terminal, talking: FakeGateway) -> None:
    serai("chat", typed="//etc is full\n")
    assert asked(talking)[0][0] == "/etc is full"


def test_help_lists_every_command(serai: Terminal, talking: FakeGateway) -> None:
    said = serai("chat", typed="/help\n/agents\n")
    for name in (*COMMANDS, "/quit"):
        assert f"{name} " in said.out
    assert "  main\n  ops\n" in said.out


def test_without_a_gateway_nothing_begins(serai: Terminal) -> None:
    said = serai("chat", typed="hello\n")
    assert (said.code, "No gateway runs" in said.err) == (1, True)


def test_an_error_ends_a_chat_that_nobody_watches(serai: Terminal, talking: FakeGateway) -> None:
    talking.answers(PATH, {"error": {"message": "The model is away."}}, 503)
    said = serai("chat", typed="hello\nagain\n")
    assert (said.code, said.err) == (1, "Error: The model is away.\n")
    assert len(asked(talking)) == 1


def test_commands_and_their_words_are_offered(serai: Terminal, talking: FakeGateway) -> None:
    store_ours(serai.home)
    conversation = Conversation(Place(str(serai.home)))
    assert list(offered(conversation, "/se")) == ["/sessions", "/session", "/sethome"]
    assert list(offered(conversation, "/cron re")) == ["resume", "remove"]
    assert list(offered(conversation, "/agent ")) == ["main", "ops", "default"]
    assert list(offered(conversation, "/session chat")) == [OURS]
    talking.hang_up()
    assert list(offered(conversation, "/agent ")) == []


def drawn(pieces: Iterator[str]) -> str:
    console = Console(file=io.StringIO(), width=60, force_terminal=False)
    try:
        RichScreen(console).show(pieces)
    finally:
        text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_an_answer_is_drawn_block_by_block() -> None:
    text = drawn(iter(["# Ti", "tle\n\nSome *te", "xt*.\n\n```\na\n\nb\n```\n\n1. one\n2. t", "wo"]))
    assert "Title" in text
    assert "Some text." in text
    assert "1 one\n 2 two" in text
    assert "```" not in text


def test_a_link_shows_where_it_leads() -> None:
    assert "http://evil.example" in drawn(iter(["[the bank](http://evil.example)"]))


def test_what_had_come_of_an_answer_stays_when_it_breaks() -> None:
    def pieces() -> Iterator[str]:
        yield "It be"
        yield "gan"
        raise Failed("gone")

    with pytest.raises(Failed):
        drawn(pieces())
    console = Console(file=io.StringIO(), width=60)
    with pytest.raises(Failed):
        RichScreen(console).show(pieces())
    assert "It began" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("a\n\nb\n", ["a\n\n"]),
        ("a\nb\n", []),
        ("```\na\n\nb\n```\n\nc\n", ["```\na\n\nb\n```\n\n"]),
        ("~~~~\n~~~\n\nb\n~~~~\n\nc\n", ["~~~~\n~~~\n\nb\n~~~~\n\n"]),
        ("1. a\n\n   more\n\n2. b\n", ["1. a\n\n   more\n\n"]),
    ],
)
def test_a_block_ends_where_markdown_lets_it(text: str, blocks: list[str]) -> None:
    assert list(Blocks().add(text)) == blocks


@given(st.text(alphabet="ab`\n ", max_size=60), st.integers(1, 7))
def test_no_letter_is_lost_or_moved_however_the_text_is_cut(text: str, size: int) -> None:
    blocks = Blocks()
    found = "".join(block for at in range(0, len(text), size) for block in blocks.add(text[at : at + size]))
    assert found + blocks.rest == text
