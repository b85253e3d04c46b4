"""Slack's events in the gateway's words."""

from typing import Any

import msgspec
import pytest

from serai.core.ids import Account
from serai.core.message import Inbound, Press, Revision
from serai.platforms.slack.convert import Reader
from serai.platforms.slack.render import LIMIT, markdown, plain
from serai.platforms.slack.wire import Callback, Interaction, Slash

READER = Reader(Account("slack", "work"), "UBOT", "BBOT", "T1")


def callback(**event: Any) -> Callback:
    base = {"type": "message", "channel": "C1", "user": "U1", "text": "hello", "ts": "1.1"}
    return msgspec.convert({"team_id": "T1", "event_id": "Ev1", "event": base | event}, Callback)


def heard(**event: Any) -> Inbound:
    found = READER.message(callback(**event), {"U1": "Ada"})
    assert isinstance(found, Inbound)
    return found


def test_a_message_has_its_team_channel_person_and_name() -> None:
    source = heard().source
    assert (source.platform, source.account, source.guild_id) == ("slack", "work", "T1")
    assert (source.chat_id, source.chat_type, source.user_id, source.user_name) == ("C1", "group", "U1", "Ada")
    assert source.message_id == "1.1"


def test_a_direct_message_is_a_direct_chat() -> None:
    assert heard(channel="D1", channel_type="im").source.chat_type == "dm"


def test_a_mention_is_told_twice_and_is_one_message() -> None:
    one = heard(text="<@UBOT> what?")
    two = heard(text="<@UBOT> what?", type="app_mention")
    assert one.dedupe_key == two.dedupe_key
    assert (one.text, one.mentioned, two.text, two.mentioned) == ("what?", True, "what?", True)
    assert one.source == two.source


def test_two_pairs_of_channel_and_time_never_have_one_key() -> None:
    assert heard(channel="C:1", ts="1").dedupe_key != heard(channel="C", ts="1:1").dedupe_key


def test_the_root_of_a_thread_is_in_the_channel_and_its_answers_in_the_thread() -> None:
    assert heard(thread_ts="1.1").source.thread_id is None
    assert heard(ts="2.2", thread_ts="1.1").source.thread_id == "1.1"


def test_an_answer_to_the_bots_own_thread_is_for_the_bot() -> None:
    assert heard(ts="2.2", thread_ts="1.1", parent_user_id="UBOT").mentioned
    assert not heard(ts="2.2", thread_ts="1.1", parent_user_id="U2").mentioned


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1 &lt; 2 &amp; 3", "1 < 2 & 3"),
        ("see <https://example.org|the page>", "see the page (https://example.org)"),
        ("see <https://example.org>", "see https://example.org"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("ask <@U2|bob> in <#C2|general>", "ask @bob in #general"),
        ("<!here> look", "@here look"),
        ("<!date^1700000000^{date}|Tuesday>", "Tuesday"),
    ],
)
def test_slacks_markup_of_names_and_links_is_plain_text(written: str, text: str) -> None:
    assert heard(text=written).text == text


def test_a_file_comes_with_its_type_and_size() -> None:
    file = {"name": "a.m4a", "mimetype": "audio/mp4", "size": 5, "url_private_download": "https://files/a"}
    (attachment,) = heard(subtype="file_share", text="", files=[file]).attachments
    assert (attachment.name, attachment.media_type, attachment.size) == ("a.m4a", "audio/mp4", 5)
    assert attachment.ref == "https://files/a"


def test_the_bot_does_not_hear_itself_and_knows_other_bots() -> None:
    assert READER.message(callback(user="UBOT"), {}) is None
    assert READER.message(callback(subtype="bot_message", user="", bot_id="BBOT"), {}) is None
    assert heard(subtype="bot_message", user="", bot_id="B2").source.is_bot


def test_edits_and_deletions_are_told_of_people_only() -> None:
    edit = READER.message(callback(subtype="message_changed", message={"ts": "1.1", "text": "new", "user": "U1"}), {})
    assert isinstance(edit, Revision)
    assert (edit.chat_id, edit.message_id, edit.text) == ("C1", "1.1", "new")
    gone = READER.message(callback(subtype="message_deleted", deleted_ts="1.1"), {})
    assert isinstance(gone, Revision)
    assert gone.text is None
    assert READER.message(callback(subtype="message_changed", message={"ts": "9", "user": "UBOT"}), {}) is None


def test_a_pressed_button_brings_its_value_its_message_and_its_thread() -> None:
    pressed = {
        "type": "block_actions",
        "user": {"id": "U1", "name": "ada"},
        "team": {"id": "T1"},
        "channel": {"id": "C1"},
        "container": {"message_ts": "1.1", "channel_id": "C1", "thread_ts": "1.0"},
        "actions": [{"action_id": "serai-0", "value": "approve:1:once"}],
        "trigger_id": "t1",
    }
    found = READER.press(msgspec.convert(pressed, Interaction))
    assert isinstance(found, Press)
    assert (found.value, found.source.message_id, found.source.thread_id) == ("approve:1:once", "1.1", "1.0")
    again = READER.press(msgspec.convert(pressed | {"trigger_id": "t2"}, Interaction))
    assert again is not None
    assert again.dedupe_key != found.dedupe_key


@pytest.mark.parametrize(
    ("text", "command"), [("new", "/new"), ("/new", "/new"), ("", "/help"), ("agent ops", "/agent ops")]
)
def test_slacks_own_commands_are_commands(text: str, command: str) -> None:
    slash = {"command": "/serai", "text": text, "user_id": "U1", "channel_id": "D1", "trigger_id": "t1"}
    assert READER.slash(msgspec.convert(slash, Slash)).text == command


def test_nobody_is_called_by_an_answer() -> None:
    assert (
        markdown("<!channel> and <@U1> in <#C1>, 1 < 2") == "<\u200b!channel> and <\u200b@U1> in <\u200b#C1>, 1 < 2"
    )
    assert plain("<!channel> & co") == "&lt;!channel&gt; &amp; co"


def test_a_text_of_too_many_calls_is_not_made_longer_than_slack_takes() -> None:
    assert markdown("<!" * (LIMIT // 2)) is None
