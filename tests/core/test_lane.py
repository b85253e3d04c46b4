"""Session keys and lanes (SPEC 3.3, 3.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.ids import AgentId
from serai.core.lane import LanePolicy, lane_of
from serai.core.source import Source

MAIN = AgentId("main")
DEFAULT = LanePolicy()


@pytest.mark.parametrize(
    ("source", "policy", "key"),
    [
        (Source("telegram", chat_id="99"), DEFAULT, "agent:main:telegram:dm:99"),
        (Source("telegram", chat_id="99", user_id="7"), DEFAULT, "agent:main:telegram:dm:99"),
        (Source("telegram", chat_id="99", thread_id="5"), DEFAULT, "agent:main:telegram:dm:99:5"),
        (Source("telegram", chat_id="99", topic_id="6"), DEFAULT, "agent:main:telegram:dm:99:6"),
        (Source("telegram", chat_id="99", thread_id="5", topic_id="6"), DEFAULT, "agent:main:telegram:dm:99:5"),
        (Source("wecom", user_id="zhang"), DEFAULT, "agent:main:wecom:dm:zhang"),
        (Source("wecom", user_id="zhang", user_id_alt="union"), DEFAULT, "agent:main:wecom:dm:union"),
        (Source("wecom", user_id="zhang", thread_id="5"), DEFAULT, "agent:main:wecom:dm:zhang:5"),
        (Source("api_server"), DEFAULT, "agent:main:api_server:dm"),
        (
            Source("discord", chat_id="guild-123", chat_type="group", user_id="alice"),
            DEFAULT,
            "agent:main:discord:group:guild-123:alice",
        ),
        (
            Source("telegram", chat_id="-1002285219667", chat_type="group", user_id="9", topic_id="17585"),
            DEFAULT,
            "agent:main:telegram:group:-1002285219667:17585",
        ),
        (
            Source("telegram", chat_id="-1", chat_type="group", user_id="9", thread_id="5"),
            LanePolicy(thread_sessions_per_user=True),
            "agent:main:telegram:group:-1:5:9",
        ),
        (
            Source("telegram", chat_id="-1", chat_type="channel", user_id="9"),
            LanePolicy(group_sessions_per_user=False),
            "agent:main:telegram:channel:-1",
        ),
        (Source("matrix", chat_id="!a:b.org"), DEFAULT, "agent:main:matrix:dm:!a%3Ab.org"),
        (Source("matrix", chat_id="50%"), DEFAULT, "agent:main:matrix:dm:50%25"),
        (Source("telegram", account="work", chat_id="99"), DEFAULT, "agent:main:telegram@work:dm:99"),
    ],
)
def test_the_session_key_of_a_message(source: Source, policy: LanePolicy, key: str) -> None:
    assert lane_of(MAIN, source, policy).label == key


def test_two_agents_have_two_lanes_in_one_chat() -> None:
    source = Source("telegram", chat_id="99")
    assert lane_of(MAIN, source, DEFAULT) != lane_of(AgentId("ops"), source, DEFAULT)


def test_a_person_has_one_direct_session_across_platforms_where_configured() -> None:
    policy = LanePolicy(dm_scope="person", identities={"telegram:42": "alice", "discord:99": "alice"})
    there = lane_of(MAIN, Source("telegram", chat_id="42", user_id="42"), policy)
    here = lane_of(MAIN, Source("discord", chat_id="555", user_id="99"), policy)
    stranger = lane_of(MAIN, Source("discord", chat_id="556", user_id="100"), policy)
    assert there == here
    assert stranger not in (there, lane_of(MAIN, Source("telegram", chat_id="1", user_id="100"), policy))


def test_all_direct_chats_of_an_agent_are_one_session_where_configured() -> None:
    policy = LanePolicy(dm_scope="agent")
    assert lane_of(MAIN, Source("telegram", chat_id="1"), policy) == lane_of(
        MAIN, Source("slack", chat_id="2"), policy
    )
    group = Source("telegram", chat_id="1", chat_type="group")
    assert lane_of(MAIN, group, policy) != lane_of(MAIN, Source("telegram", chat_id="1"), policy)


part = st.text(min_size=1, max_size=12)


@given(part, part, part, part)
def test_group_keys_of_different_places_differ(chat: str, user: str, chat2: str, user2: str) -> None:
    one = lane_of(MAIN, Source("p", chat_id=chat, chat_type="group", user_id=user), DEFAULT)
    two = lane_of(MAIN, Source("p", chat_id=chat2, chat_type="group", user_id=user2), DEFAULT)
    assert (one.label == two.label) is ((chat, user) == (chat2, user2))
    assert one.label.count(":") == 5
