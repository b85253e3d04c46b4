"""From the wire to the gateway's words, and back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.delivery import Delivery, Target
from serai.core.ids import Account, AgentId, DeliveryId
from serai.core.message import Attachment, Inbound
from serai.core.source import Source
from serai.platforms.webhook.convert import callback, dedupe_key, inbound
from serai.platforms.webhook.wire import Body, Callback, Malformed, parse

ACCOUNT = Account("webhook", "crm")


def converted(**body: object) -> Inbound:
    return inbound(ACCOUNT, parse(json.dumps({"chat_id": "1", "text": "hi"} | body).encode()), "msg_1")


def test_every_field_finds_its_place() -> None:
    message = converted(
        message_id="m1",
        chat_id="room:1",
        chat_type="group",
        user_id="u",
        user_id_alt="alt",
        user_name="Ada",
        roles=["admin", "123"],
        thread_id="t",
        topic_id="7",
        guild_id="g",
        parent_chat_id="p",
        mentioned=True,
        text="hello",
        attachments=[{"url": "https://files.example/a", "name": "a", "media_type": "image/png", "size": 3}],
    )
    assert message == Inbound(
        Source(
            platform="webhook",
            account="crm",
            chat_id="room:1",
            chat_type="group",
            user_id="u",
            user_id_alt="alt",
            user_name="Ada",
            roles=("admin", "123"),
            thread_id="t",
            topic_id="7",
            guild_id="g",
            parent_chat_id="p",
            message_id="m1",
        ),
        text="hello",
        dedupe_key="message:6:room:1:m1",
        attachments=(Attachment("https://files.example/a", "a", "image/png", 3),),
        mentioned=True,
    )


def test_two_fields_are_enough() -> None:
    source = Source("webhook", "crm", chat_id="1", message_id="msg_1")
    assert converted() == Inbound(source, "hi", "request:msg_1")


def test_an_attachment_is_enough_of_a_message() -> None:
    assert converted(text=None, attachments=[{"url": "data:,x"}]).text == ""


@pytest.mark.parametrize("absent", ["", None])
def test_an_empty_id_is_an_absent_one(absent: str | None) -> None:
    names = [
        "user_id",
        "user_id_alt",
        "user_name",
        "thread_id",
        "topic_id",
        "guild_id",
        "parent_chat_id",
        "message_id",
    ]
    assert converted(**dict.fromkeys(names, absent)) == converted()


def test_ids_keep_their_blanks_and_names_lose_their_controls() -> None:
    source = converted(user_id=" u ", user_name="al\u202eice\n").source
    assert (source.user_id, source.user_name) == (" u ", "alice")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"chat_id": None}, "chat_id"),
        ({"chat_id": ""}, "chat_id"),
        ({"chat_id": 5}, "chat_id"),
        ({"text": 5}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": None}, "text"),
        ({"chat_type": "dms"}, "chat_type"),
        ({"roles": "admin"}, "roles"),
        ({"roles": [1]}, "roles[0]"),
        ({"mentioned": "yes"}, "mentioned"),
        ({"message_id": 7}, "message_id"),
        ({"thread": "t"}, "thread"),
        ({"attachments": [{"name": "a"}]}, "url"),
        ({"attachments": [{"url": "file:///etc/passwd"}]}, "attachments[0].url"),
        ({"attachments": [{"url": "https://a.example", "size": -1}]}, "attachments[0].size"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, object], named: str) -> None:
    with pytest.raises(Malformed) as raised:
        converted(**body)
    assert named in str(raised.value)


@pytest.mark.parametrize("name", ["chat_id", "text"])
def test_a_missing_field_is_named(name: str) -> None:
    body = {key: value for key, value in {"chat_id": "1", "text": "hi"}.items() if key != name}
    with pytest.raises(Malformed, match=f"`{name}`"):
        parse(json.dumps(body).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"chat_id": "\\ud800", "text": "x"}', b"[" * 100_000]
)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)


@given(
    st.binary() | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_any_other_bytes_are_malformed_and_nothing_worse(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(body)


IDS = st.text("a:1", min_size=1, max_size=6)


@given(IDS, IDS | st.none(), IDS, IDS, IDS | st.none(), IDS)
def test_only_the_same_message_has_the_same_key(
    chat: str, message: str | None, request: str, chat2: str, message2: str | None, request2: str
) -> None:
    one = (chat, message) if message else request
    other = (chat2, message2) if message2 else request2
    key = dedupe_key(Body(chat_id=chat, message_id=message), request)
    key2 = dedupe_key(Body(chat_id=chat2, message_id=message2), request2)
    assert (key == key2) == (one == other)


def test_an_answer_names_its_place_its_agent_and_what_it_answers() -> None:
    target = Target("webhook", "room:1", "crm", thread_id="t", reply_to=("m1", "m2"))
    answer = callback(Delivery(DeliveryId("d1"), target, AgentId("ops"), "hello"))
    assert answer == Callback("d1", "room:1", "t", ("m1", "m2"), "ops", "hello", final=True)
