"""From Telegram's updates to the gateway's words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.ids import Account
from serai.core.message import Attachment, Inbound, Press, Revision
from serai.core.source import Source
from serai.platforms.telegram.convert import event
from serai.platforms.telegram.entity import Me
from serai.platforms.telegram.wire import KINDS, Malformed, Update, parse
from tests.platforms.telegram.contract import checked_update

ACCOUNT = Account("telegram", "work")
ME = Me(7001, "Serai_Bot")
BOT = {"id": 7001, "is_bot": True, "first_name": "Serai", "username": "Serai_Bot"}
ADA = {"id": 42, "is_bot": False, "first_name": "Ada", "last_name": "Lovelace"}
DIRECT = {"id": 42, "type": "private", "first_name": "Ada"}
GROUP = {"id": -1002285219667, "type": "supergroup", "title": "Ops"}
FORUM = {**GROUP, "is_forum": True}
NEWS = {"id": -1009, "type": "channel", "title": "News"}
TOPIC_BEGAN = {
    "message_id": 77,
    "date": 1,
    "chat": FORUM,
    "from": BOT,
    "message_thread_id": 77,
    "is_topic_message": True,
    "forum_topic_created": {"name": "Deploys", "icon_color": 7322096},
}


def message(**more: Any) -> dict[str, Any]:
    return {"message_id": 5, "date": 1, "chat": DIRECT, "from": ADA, **more}


def converted(*messages: dict[str, Any], kind: str = "message") -> Inbound | Revision | Press | None:
    updates = [parse(checked_update({"update_id": n, kind: told})) for n, told in enumerate(messages)]
    return event(ACCOUNT, ME, updates)


def heard(**more: Any) -> Inbound:
    inbound = converted(message(**more))
    assert isinstance(inbound, Inbound)
    return inbound


def test_every_field_finds_its_place() -> None:
    told = message(
        chat=FORUM, text="hello", message_thread_id=77, is_topic_message=True, reply_to_message=TOPIC_BEGAN
    )
    assert converted(told) == Inbound(
        Source(
            "telegram",
            "work",
            chat_id="-1002285219667",
            chat_type="group",
            chat_name="Ops",
            user_id="42",
            user_name="Ada Lovelace",
            thread_id="77",
            topic_id="77",
            message_id="5",
        ),
        "hello",
        "message:-1002285219667:5",
    )


@pytest.mark.parametrize(
    ("chat", "kind"),
    [(DIRECT, "dm"), ({**GROUP, "type": "group"}, "group"), (GROUP, "group"), (NEWS, "channel")],
)
def test_types_of_chats(chat: dict[str, Any], kind: str) -> None:
    assert heard(chat=chat, text="x").source.chat_type == kind


def test_a_chat_of_a_type_that_nobody_knows_yet_is_nothing() -> None:
    assert (
        event(ACCOUNT, ME, [parse({"update_id": 1, "message": message(chat={"id": 1, "type": "new"}, text="x")})])
        is None
    )


@pytest.mark.parametrize(
    ("more", "thread"),
    [
        ({"chat": GROUP, "message_thread_id": 9}, None),
        ({"chat": FORUM}, "1"),
        ({"chat": FORUM, "message_thread_id": 9, "is_topic_message": True}, "9"),
        ({"chat": DIRECT, "message_thread_id": 9, "is_topic_message": True}, "9"),
        ({"chat": {**DIRECT, "is_forum": True}}, None),
    ],
    ids=["a reply in a group", "General", "a topic", "a topic of a direct chat", "no topic of a direct chat"],
)
def test_only_topics_are_threads(more: dict[str, Any], thread: str | None) -> None:
    source = heard(text="x", **more).source
    assert (source.thread_id, source.topic_id) == (thread, thread)


MENTION = {"type": "mention", "offset": 0, "length": 10}


@pytest.mark.parametrize(
    ("text", "entities", "left"),
    [
        ("@serai_bot what now?", [MENTION], "what now?"),
        ("🙂🙂 @SERAI_bot!", [{**MENTION, "offset": 5}], "🙂🙂!"),
        ("tell me, @serai_bot", [{**MENTION, "offset": 9}], "tell me,"),
        ("@serai_bot", [MENTION], "@serai_bot"),
        ("Serai, hi", [{"type": "text_mention", "offset": 0, "length": 5, "user": BOT}], ", hi"),
        ("/new@serai_bot", [{"type": "bot_command", "offset": 0, "length": 14}], "/new"),
        ("/agent@Serai_Bot ops", [{"type": "bot_command", "offset": 0, "length": 16}], "/agent ops"),
    ],
)
def test_a_mention_is_noticed_and_taken_out(text: str, entities: list[dict[str, Any]], left: str) -> None:
    inbound = heard(chat=GROUP, text=text, entities=entities)
    assert (inbound.text, inbound.mentioned) == (left, True)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("@other_bot hi", [MENTION]),
        ("@serai_bot without an entity", []),
        ("/new", [{"type": "bot_command", "offset": 0, "length": 4}]),
        ("Eve", [{"type": "text_mention", "offset": 0, "length": 3, "user": {**BOT, "id": 99}}]),
        ("short", [{**MENTION, "offset": 900}]),
    ],
)
def test_what_is_no_mention_stays(text: str, entities: list[dict[str, Any]]) -> None:
    inbound = heard(chat=GROUP, text=text, entities=entities)
    assert (inbound.text, inbound.mentioned) == (text, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [("/start", "/help"), ("/start ref42", "/help"), ("/started", "/started"), ("say /start", "say /start")],
)
def test_whoever_meets_the_bot_gets_its_help(text: str, told: str) -> None:
    assert heard(text=text).text == told


def test_a_mention_in_a_caption_counts() -> None:
    photo = [{"file_id": "F", "file_unique_id": "U", "width": 1, "height": 1}]
    inbound = heard(chat=GROUP, photo=photo, caption="@serai_bot what is it?", caption_entities=[MENTION])
    assert (inbound.text, inbound.mentioned) == ("what is it?", True)


def test_the_address_behind_a_word_is_told() -> None:
    link = {"type": "text_link", "offset": 4, "length": 4, "url": "https://example.org/a"}
    assert heard(text="see this one", entities=[link]).text == "see [this](https://example.org/a) one"


def test_a_reply_to_the_bot_is_said_to_it() -> None:
    mine = {"message_id": 3, "date": 1, "chat": GROUP, "from": BOT, "text": "First."}
    assert heard(chat=GROUP, text="and then?", reply_to_message=mine).mentioned
    assert not heard(chat=GROUP, text="and then?", reply_to_message={**mine, "from": ADA}).mentioned
    assert heard(chat=GROUP, text="@serai_bot?", entities=[MENTION], reply_to_message={**mine, "from": ADA}).mentioned


def test_a_message_in_a_topic_that_the_bot_began_is_not_said_to_it() -> None:
    more = {"chat": FORUM, "message_thread_id": 77, "is_topic_message": True}
    assert not heard(text="x", reply_to_message=TOPIC_BEGAN, **more).mentioned


def test_an_anonymous_administrator_speaks_as_the_group() -> None:
    placeholder = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    told = message(chat=GROUP, text="x", sender_chat=GROUP, author_signature="the boss")
    source = converted({**told, "from": placeholder})
    assert isinstance(source, Inbound)
    assert (source.source.user_id, source.source.user_name) == ("-1002285219667", "the boss")
    assert not source.source.is_bot


def test_a_post_of_a_channel_is_said_by_the_channel() -> None:
    told = {"message_id": 5, "date": 1, "chat": NEWS, "sender_chat": NEWS, "text": "x"}
    post = converted(told, kind="channel_post")
    assert isinstance(post, Inbound)
    assert (post.source.user_id, post.source.user_name, post.source.chat_type) == ("-1009", "News", "channel")


def test_another_bot_is_marked_as_one() -> None:
    assert heard(chat=GROUP, text="x", **{"from": {**BOT, "id": 99}}).source.is_bot


def test_bidi_controls_are_taken_out_of_names() -> None:
    assert (
        heard(text="x", **{"from": {**ADA, "first_name": "al\u202eice\n", "last_name": "S"}}).source.user_name
        == "alice S"
    )


@pytest.mark.parametrize(("length", "near"), [(3999, False), (4000, True), (4096, True)])
def test_a_text_that_the_client_may_have_cut(length: int, near: bool) -> None:
    assert heard(text="x" * length).near_limit is near
    assert heard(text="🙂" * (length // 2) + "x" * (length % 2)).near_limit is near


def file(name: str, **more: Any) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": f"u{name}", **more}


@pytest.mark.parametrize(
    ("more", "attachment"),
    [
        (
            {"photo": [file("s", width=1, height=1, file_size=10), file("l", width=9, height=9, file_size=90)]},
            Attachment(name="photo.jpg", media_type="image/jpeg", size=90, ref="l"),
        ),
        (
            {"document": file("d", file_name="a.pdf", mime_type="application/pdf", file_size=3)},
            Attachment(name="a.pdf", media_type="application/pdf", size=3, ref="d"),
        ),
        (
            {"voice": file("v", duration=1, mime_type="audio/ogg", file_size=3)},
            Attachment(name="voice.ogg", media_type="audio/ogg", size=3, ref="v"),
        ),
        (
            {"animation": file("a", width=1, height=1, duration=1), "document": file("a")},
            Attachment(name="animation.mp4", media_type="video/mp4", ref="a"),
        ),
    ],
    ids=["photo", "document", "voice", "animation"],
)
def test_files(more: dict[str, Any], attachment: Attachment) -> None:
    inbound = heard(**more)
    assert (inbound.text, inbound.attachments) == ("", (attachment,))


def test_an_album_is_one_message_with_the_id_of_the_piece_that_has_the_words() -> None:
    def piece(number: int, **more: Any) -> dict[str, Any]:
        photo = [file(f"p{number}", width=1, height=1)]
        return {**message(chat=GROUP, photo=photo, media_group_id="9", **more), "message_id": number}

    caption = {"caption": "@serai_bot compare them", "caption_entities": [MENTION]}
    album = converted(piece(5), piece(6, **caption), piece(7))
    assert isinstance(album, Inbound)
    assert [attachment.ref for attachment in album.attachments] == ["p5", "p6", "p7"]
    assert (album.text, album.mentioned, album.source.message_id) == ("compare them", True, "6")
    assert album.dedupe_key == "message:-1002285219667:5"


def test_an_edit_changes_the_words_as_they_were_told() -> None:
    edited = message(chat=GROUP, text="@serai_bot what then?", entities=[MENTION], edit_date=2)
    assert converted(edited, kind="edited_message") == Revision(ACCOUNT, "-1002285219667", "5", "what then?")


def test_a_press_tells_who_and_where() -> None:
    held = {**message(chat=FORUM, text="May I?", message_thread_id=77, is_topic_message=True), "from": BOT}
    told = {"id": "c1", "from": ADA, "chat_instance": "1", "message": held, "data": "approve:1:once"}
    press = converted(told, kind="callback_query")
    assert isinstance(press, Press)
    assert (press.value, press.dedupe_key) == ("approve:1:once", "press:c1")
    source = press.source
    assert (source.chat_id, source.thread_id, source.message_id) == ("-1002285219667", "77", "5")
    assert (source.user_id, source.user_name, source.chat_type) == ("42", "Ada Lovelace", "group")


def test_a_press_under_an_old_message_counts() -> None:
    old = {"chat": DIRECT, "message_id": 5, "date": 0}
    press = converted(
        {"id": "c", "from": ADA, "chat_instance": "1", "message": old, "data": "x"}, kind="callback_query"
    )
    assert isinstance(press, Press)
    assert press.source.message_id == "5"


@pytest.mark.parametrize(
    "raw", [None, 5, [], {}, {"update_id": "1"}, {"update_id": 1, "message": {"message_id": "x"}}]
)
def test_what_is_no_update_is_malformed_and_named_without_its_content(raw: object) -> None:
    with pytest.raises(Malformed) as raised:
        parse(raw)
    assert str(raised.value)
    assert raised.value.update_id == (1 if isinstance(raw, dict) and raw.get("update_id") == 1 else None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KINDS, "text", "chat"]), inner),
    max_leaves=8,
)


@given(_JSON)
def test_no_json_at_all_raises_anything_else(raw: Any) -> None:
    try:
        update = parse({"update_id": 1, **raw} if isinstance(raw, dict) else raw)
    except Malformed:
        return
    assert isinstance(update, Update)
    event(ACCOUNT, ME, [update])


@given(st.text(), st.lists(st.tuples(st.integers(-5, 50), st.integers(-5, 50)), max_size=4))
def test_no_place_of_a_mention_breaks_a_text(text: str, places: list[tuple[int, int]]) -> None:
    text = text.encode("utf-8", "replace").decode()
    entities = [{"type": "mention", "offset": offset, "length": length} for offset, length in places]
    told = {"update_id": 1, "message": message(text=text, entities=entities)}
    assert isinstance(event(ACCOUNT, ME, [parse(told)]), Inbound | None)
