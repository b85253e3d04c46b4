"""From events to the gateway's words."""

from typing import Any

import pytest

from serai.core.ids import Account
from serai.core.message import Attachment, Revision
from serai.platforms.matrix import convert
from serai.platforms.matrix.convert import Place
from serai.platforms.matrix.mention import Me
from serai.platforms.matrix.wire import Event, Malformed, parse, parse_ref

ACCOUNT = Account("matrix", "work")
ME = Me("@bot:x", "Rosie Bot")
PLACE = Place("!r:x", ME, direct=False, name="Gar\u202eden", space="!space:x", speaker="Al\u202eice")


def event(content: dict[str, Any], kind: str = "m.room.message", **more: Any) -> Event:
    return parse({"type": kind, "event_id": "$1", "sender": "@alice:x", "content": content, **more})


def text(body: str, **more: Any) -> Event:
    return event({"msgtype": "m.text", "body": body, **more})


def pill(label: str, user: str = "@bot:x") -> str:
    return f'<a href="https://matrix.to/#/{user}">{label}</a>'


def test_every_field_that_routing_can_match_is_there() -> None:
    inbound = convert.inbound(
        ACCOUNT, PLACE, text("hi", **{"m.relates_to": {"rel_type": "m.thread", "event_id": "$t"}})
    )
    assert inbound is not None
    source = inbound.source
    assert (source.platform, source.account, source.chat_id, source.chat_type) == ("matrix", "work", "!r:x", "group")
    assert (source.user_id, source.user_name, source.chat_name) == ("@alice:x", "Alice", "Garden")
    assert (source.thread_id, source.guild_id, source.message_id) == ("$t", "!space:x", "$1")
    assert inbound.dedupe_key == '["!r:x", "$1"]'


@pytest.mark.parametrize(
    ("said", "mentioned", "left"),
    [
        (text("hi", **{"m.mentions": {"user_ids": ["@bot:x"]}}), True, "hi"),
        (text("Rosie Bot: hi", **{"m.mentions": {"user_ids": ["@bot:x"]}}), True, "hi"),
        (text("rosie bot, hi", **{"m.mentions": {"user_ids": ["@bot:x"]}}), True, "hi"),
        (text("Rosie Bot hi", **{"m.mentions": {}}), False, "hi"),
        (text("@bot:x hi"), True, "hi"),
        (text("@bot hi"), True, "hi"),
        (text("hi @bot"), True, "hi"),
        (text("bot: /new"), True, "/new"),
        (text("robot: hi"), False, "robot: hi"),
        (text("bottle"), False, "bottle"),
        (text("Ro: hi", formatted_body=f"{pill('Ro')}: hi"), True, "hi"),
        (text("Ro: hi", formatted_body=f"{pill('Ro', '%40bot%3Ax')}: hi"), True, "hi"),
        (text("Ro: hi", formatted_body=f"{pill('Ro', '@eve:x')}: hi"), False, "Ro: hi"),
        (text("ask Rosie Bot about it"), True, "ask Rosie Bot about it"),
        (text("hi", **{"m.mentions": {"room": True}}), False, "hi"),
    ],
)
def test_a_mention_is_known_and_taken_out(said: Event, mentioned: bool, left: str) -> None:
    inbound = convert.inbound(ACCOUNT, PLACE, said)
    assert inbound is not None
    assert (inbound.mentioned, inbound.text) == (mentioned, left)


def test_a_reply_to_the_bot_is_said_to_it_and_loses_the_quote() -> None:
    said = text("> <@bot:x> before\n> more\n\nand now?", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$0"}}})
    assert convert.replied(said) == "$0"
    inbound = convert.inbound(ACCOUNT, PLACE, said, answers_me=True)
    assert inbound is not None
    assert (inbound.mentioned, inbound.text) == (True, "and now?")


def test_what_a_thread_names_for_old_clients_is_no_reply() -> None:
    thread = {"rel_type": "m.thread", "event_id": "$t", "m.in_reply_to": {"event_id": "$0"}}
    assert convert.replied(text("hi", **{"m.relates_to": {**thread, "is_falling_back": True}})) is None
    assert convert.replied(text("hi", **{"m.relates_to": thread})) == "$0"


@pytest.mark.parametrize(
    "ignored",
    [
        event({"msgtype": "m.notice", "body": "beep"}),
        event({"msgtype": "m.text", "body": "* x", "m.new_content": {"msgtype": "m.notice", "body": "x"}}),
        text("from another of us", **{"org.matrix.msc1767.automated": True}),
        event({"msgtype": "m.text", "body": "mine"}, sender="@bot:x"),
        event({}, "m.reaction"),
    ],
)
def test_bots_and_what_is_no_message_are_ignored(ignored: Event) -> None:
    assert convert.is_ignored(ignored, ME)


def test_an_edit_is_a_revision_of_the_first_message() -> None:
    new = {"msgtype": "m.text", "body": "Rosie Bot: two"}
    said = text("* two", **{"m.new_content": new, "m.relates_to": {"rel_type": "m.replace", "event_id": "$0"}})
    assert convert.edited(said) == "$0"
    assert convert.revision(ACCOUNT, PLACE, said) == Revision(ACCOUNT, "!r:x", "$0", "two")


@pytest.mark.parametrize("more", [{"redacts": "$0"}, {"content": {"redacts": "$0"}}])
def test_a_redaction_of_any_room_version_is_a_deletion(more: dict[str, Any]) -> None:
    said = parse({"type": "m.room.redaction", "event_id": "$1", "sender": "@alice:x", "content": {}, **more})
    assert convert.deletion(ACCOUNT, "!r:x", said) == Revision(ACCOUNT, "!r:x", "$0", None)


def test_a_file_has_a_name_a_type_and_a_size_and_its_caption_is_the_text() -> None:
    info = {"mimetype": "image/png", "size": 5}
    said = event({"msgtype": "m.image", "body": "look", "filename": "a.png", "url": "mxc://x/1", "info": info})
    inbound = convert.inbound(ACCOUNT, PLACE, said)
    assert inbound is not None
    assert inbound.text == "look"
    assert inbound.attachments == (Attachment("", "a.png", "image/png", 5, '{"url":"mxc://x/1"}'),)
    bare = convert.inbound(ACCOUNT, PLACE, event({"msgtype": "m.file", "body": "a.pdf", "url": "mxc://x/1"}))
    assert bare is not None
    assert (bare.text, bare.attachments[0].name) == ("", "a.pdf")


def test_the_reference_to_an_encrypted_file_holds_what_opens_it() -> None:
    file = {"url": "mxc://x/1", "key": {"k": "fake-key"}, "iv": "iv", "hashes": {"sha256": "h"}, "v": "v2"}
    inbound = convert.inbound(ACCOUNT, PLACE, event({"msgtype": "m.audio", "body": "v.ogg", "file": file}))
    assert inbound is not None
    ref = parse_ref(inbound.attachments[0].ref or "")
    assert (ref.url, ref.key, ref.iv, ref.sha256) == ("mxc://x/1", "fake-key", "iv", "h")


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"type": "m.room.message", "event_id": "$1", "sender": 5},
        {"type": "m.room.message", "event_id": "$1", "sender": "@a:x", "content": {"m.mentions": "fake-text"}},
        {"type": "m.room.message", "event_id": "$1", "sender": "@a:x", "content": []},
    ],
)
def test_an_event_of_the_wrong_shape_is_told_without_what_it_holds(source: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as malformed:
        parse(source)
    assert "fake-text" not in str(malformed.value)


@pytest.mark.parametrize("ref", ["", "{}", "mxc://x/1", '{"url": 5}', "[]"])
def test_a_reference_that_was_not_made_here_is_refused(ref: str) -> None:
    with pytest.raises(Malformed):
        parse_ref(ref)
