"""What `deliver` values mean (SPEC 9.5, 10.2, 16.7)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, AgentId
from serai.core.place import MalformedPlace, read_place, written_place
from serai.core.snapshot import Access, AccountSettings
from serai.core.target import NOWHERE, Expansion, expand, written
from serai.platforms.matrix import CHAT_FORM

PERCENT = "a `%` inside an id is written `%25`, a colon `%3A`; other letters are written as they are"
OPS, LAB = AgentId("ops"), AgentId("lab")
ORIGIN = Target("telegram", "-100", "Work", "5", LAB, ("m7",), "group", "42")


def account(name: str, refusal: str | None = None, chat_form: str | None = None) -> AccountSettings:
    platform, _, own = name.partition("@")
    known = Account(platform, own or "default")
    return AccountSettings(known, Access(), refusal=refusal, chat_form=chat_form)


ACCOUNTS = {
    one.account: one
    for one in (
        account("telegram"),
        account("telegram@Work"),
        account("matrix", chat_form=CHAT_FORM),
        account("slack", refusal="its token is blank"),
        account("feishu@a"),
        account("feishu@b"),
        account("discord@only"),
    )
}
HOMES = {
    Account("telegram"): HomeChat("1"),
    Account("telegram", "Work"): HomeChat("-7", "3", "group"),
    Account("matrix"): HomeChat("!home:server.org"),
    Account("slack"): HomeChat("C1"),
    Account("discord", "only"): HomeChat("55"),
}


def expanded(
    *deliver: str,
    origin: Target | None = None,
    owner: AgentId | None = OPS,
    homes: dict[Account, HomeChat] = HOMES,
) -> Expansion:
    return expand(deliver, owner=owner, origin=origin, accounts=ACCOUNTS, homes=homes)


def places(found: Expansion) -> list[str]:
    """The targets as `platform account chat thread`."""
    assert all(target.platform and target.account and target.chat_id for target in found.targets)
    return [" ".join((to.platform, to.account, to.chat_id, to.thread_id or "-")) for to in found.targets]


@pytest.mark.parametrize(
    ("value", "origin", "place"),
    [
        ("origin", ORIGIN, "telegram Work -100 5"),
        ("ORIGIN", ORIGIN, "telegram Work -100 5"),
        ("telegram", ORIGIN, "telegram Work -100 5"),
        ("Telegram", ORIGIN, "telegram Work -100 5"),
        ("telegram@Work", ORIGIN, "telegram Work -100 5"),
        ("telegram@default", ORIGIN, "telegram default 1 -"),
        ("telegram", None, "telegram default 1 -"),
        ("telegram", replace(ORIGIN, platform="matrix"), "telegram default 1 -"),
        ("telegram@Work", None, "telegram Work -7 3"),
        ("discord", None, "discord only 55 -"),
        ("matrix", None, "matrix default !home:server.org -"),
        ("telegram:99", None, "telegram default 99 -"),
        ("TELEGRAM:99:5", None, "telegram default 99 5"),
        ("telegram@Work:-100", None, "telegram Work -100 -"),
        ("  telegram:99\n", None, "telegram default 99 -"),
        ("discord:7", None, "discord only 7 -"),
        ("feishu@b:oc_Ab", None, "feishu b oc_Ab -"),
        ("telegram:a%3Ab", None, "telegram default a:b -"),
        ("telegram:a%3ab:50%25", None, "telegram default a:b 50%"),
        ("matrix:!room:server.org", None, "matrix default !room:server.org -"),
        ("matrix:!Room:server.org:8448", None, "matrix default !Room:server.org:8448 -"),
        ("matrix:!room:[2001:db8::1]:8448", None, "matrix default !room:[2001:db8::1]:8448 -"),
        ("matrix:!room:server.org:$thread", None, "matrix default !room:server.org $thread"),
        ("matrix:!room:server.org:$old:server.org", None, "matrix default !room:server.org $old:server.org"),
        ("matrix:!room%3Aserver.org", None, "matrix default !room:server.org -"),
        ("matrix:!room%3Aserver.org:$thread", None, "matrix default !room:server.org $thread"),
        ("matrix:!roomWithoutServer", None, "matrix default !roomWithoutServer -"),
        ("matrix:!roomWithoutServer:$thread", None, "matrix default !roomWithoutServer $thread"),
        ("matrix:#alias:server.org", None, "matrix default #alias:server.org -"),
    ],
)
def test_a_value_means_one_place(value: str, origin: Target | None, place: str) -> None:
    found = expanded(value, origin=origin)
    assert places(found) == [place]
    assert found.problems == ()
    assert found.targets[0].agent_id == OPS
    assert found.targets[0].reply_to == ()


@pytest.mark.parametrize(
    ("value", "known_type", "meant_type"),
    [
        ("telegram@Work:-100:5", "thread", "thread"),
        ("telegram@Work:-100:6", "thread", "thread"),
        ("telegram@Work:-100", "thread", "dm"),
        ("telegram@Work:-100", "group", "group"),
        ("telegram@Work:-100:6", "group", "group"),
        ("telegram@Work:-7", "group", "group"),
        ("telegram@Work:-8:3", "group", "dm"),
    ],
)
def test_a_chat_is_none_of_the_threads_in_it(value: str, known_type: str, meant_type: str) -> None:
    [target] = expanded(value, origin=replace(ORIGIN, chat_type=known_type)).targets
    assert target.chat_type == meant_type


def test_of_what_is_known_of_a_chat_the_very_thread_counts() -> None:
    homes = {Account("telegram", "Work"): HomeChat("-100", None, "group")}
    origin = replace(ORIGIN, chat_type="thread")
    kinds = [
        expanded(f"telegram@Work:-100{thread}", origin=origin, homes=homes).targets[0].chat_type
        for thread in ("", ":5")
    ]
    assert kinds == ["group", "thread"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "the target is blank"),
        ("  ", "the target is blank"),
        ("origin", "there is no chat that it came from"),
        ("telgram:1", "no platform `telgram` is configured (did you mean `telegram`?)"),
        ("yuanbao", "no platform `yuanbao` is configured"),
        (":1", "the name of a platform is missing before the `:`"),
        ("@work:x", "the name of a platform is missing before the `@`"),
        ("@work", "the name of a platform is missing before the `@`"),
        ("telegram@work:1", "`telegram` has no account `work` (did you mean `Work`?)"),
        ("telegram@:1", "the name of an account is missing behind the `@`"),
        ("telegram@", "the name of an account is missing behind the `@`"),
        ("telegram:", "the chat is missing"),
        ("telegram:1:", "the thread is missing behind the colon"),
        ("telegram::1", "the chat is missing"),
        ("telegram:1:2:3", "there are too many colons; one inside an id is written `%3A`"),
        ("telegram:100%", PERCENT),
        ("telegram:%zz", PERCENT),
        ("telegram:%C3%BC", PERCENT),
        ("slack", "the account `slack` is disabled: its token is blank"),
        ("slack:C7", "the account `slack` is disabled: its token is blank"),
        ("feishu", "`feishu` has no home chat; `/sethome` in one of its chats makes it that"),
        ("feishu@a", "`feishu@a` has no home chat; `/sethome` in one of its chats makes it that"),
        ("feishu:1", "`feishu` has several accounts, say which: `feishu@a`, `feishu@b`"),
    ],
)
def test_a_value_that_means_no_place_is_told_and_stops_no_other(value: str, reason: str) -> None:
    found = expanded(value, "telegram:9")
    assert places(found) == ["telegram default 9 -"]
    assert [(one.text, one.value) for one in found.problems] == [(reason, value)]
    alone = expanded(value)
    assert alone.targets == ()
    assert [one.text for one in alone.problems] == [f"{NOWHERE}: {reason}"]


def test_a_disabled_accounts_place_is_named_although_nothing_is_sent_there() -> None:
    (problem,) = expanded("slack:C7").problems
    assert problem.target == Target("slack", "C7", agent_id=OPS)


def test_several_home_chats_without_a_default_one_are_no_choice() -> None:
    homes = {Account("feishu", "a"): HomeChat("1"), Account("feishu", "b"): HomeChat("2")}
    (problem,) = expanded("feishu", homes=homes).problems
    assert problem.text == f"{NOWHERE}: several accounts have a home chat, say which: `feishu@a`, `feishu@b`"
    assert places(expanded("feishu", homes={Account("feishu", "b"): HomeChat("2")})) == ["feishu b 2 -"]


def test_a_disabled_accounts_home_chat_is_no_second_choice() -> None:
    accounts = {**ACCOUNTS, Account("feishu", "a"): account("feishu@a", refusal="its token is blank")}
    homes = {Account("feishu", "a"): HomeChat("1"), Account("feishu", "b"): HomeChat("2")}

    def at(owned: dict[Account, HomeChat]) -> Expansion:
        return expand(["feishu"], owner=OPS, origin=None, accounts=accounts, homes=owned)

    assert places(at(homes)) == ["feishu b 2 -"]
    (problem,) = at({Account("feishu", "a"): HomeChat("1")}).problems
    assert problem.text == f"{NOWHERE}: the account `feishu@a` is disabled: its token is blank"
    homes = {**homes, Account("feishu"): HomeChat("3")}
    accounts[Account("feishu")] = account("feishu", refusal="its token is blank")
    (problem,) = at(homes).problems  # what is meant is its home chat, not another account's
    assert problem.text == f"{NOWHERE}: the account `feishu` is disabled: its token is blank"


def test_a_long_name_is_not_told_whole() -> None:
    for value in ("x" * 900, f"telegram@{'x' * 900}:1"):
        (problem,) = expanded(value).problems
        assert len(problem.text) < 200


def test_all_is_every_home_chat_of_an_enabled_account() -> None:
    found = expanded("all")
    assert places(found) == [
        "telegram default 1 -",
        "telegram Work -7 3",
        "matrix default !home:server.org -",
        "discord only 55 -",
    ]
    assert found.problems == ()
    (problem,) = expanded("ALL", homes={Account("slack"): HomeChat("C1"), Account("gone"): HomeChat("1")}).problems
    assert problem.text == f"{NOWHERE}: no enabled account has a home chat"


def test_an_absent_value_is_the_origin_else_nothing_but_the_output() -> None:
    at_origin = expand(None, owner=OPS, origin=ORIGIN, accounts=ACCOUNTS, homes=HOMES)
    assert (places(at_origin), at_origin.local) == (["telegram Work -100 5"], False)
    assert expand(None, owner=OPS, origin=None, accounts=ACCOUNTS, homes=HOMES) == Expansion(local=True)


def test_local_sends_nothing_and_is_no_problem() -> None:
    assert expanded("local") == Expansion(local=True)
    found = expanded("Local", "telegram:1")
    assert (places(found), found.local, found.problems) == (["telegram default 1 -"], True, ())


def test_an_empty_list_has_no_delivery_target() -> None:
    found = expanded()
    assert [one.text for one in found.problems] == ["no delivery target"]


def test_a_place_that_is_meant_twice_is_sent_to_once() -> None:
    found = expanded("telegram:1", "all", "telegram", "matrix:!home:server.org", "TELEGRAM@default:1")
    assert places(found)[0] == "telegram default 1 -"
    assert len(set(places(found))) == len(found.targets) == 4


def test_the_same_chat_through_another_account_is_another_place() -> None:
    assert len(expanded("telegram:1", "telegram@Work:1", "telegram:1:5").targets) == 3


@pytest.mark.parametrize(("owner", "origin", "agent"), [(OPS, ORIGIN, OPS), (None, ORIGIN, LAB), (None, None, None)])
def test_the_agent_is_the_owner_else_the_origins_else_none(
    owner: AgentId | None, origin: Target | None, agent: AgentId | None
) -> None:
    found = expanded("telegram:99", "matrix", origin=origin, owner=owner)
    assert [target.agent_id for target in found.targets] == [agent, agent]


def test_where_nobody_may_speak_there_are_no_targets_and_one_problem() -> None:
    found = expand(
        ["all", "nowhere"], owner=OPS, origin=None, accounts=ACCOUNTS, homes=HOMES, refusal="it is stopped"
    )
    assert found.targets == ()
    assert [one.text for one in found.problems] == ["it is stopped"]


def test_what_is_known_of_a_chat_is_known_of_it_by_its_id_too() -> None:
    chat, thread, home = expanded("telegram@Work:-100", "telegram@Work:-100:9", "telegram@Work:-7").targets
    assert (chat.chat_type, thread.chat_type, home.chat_type) == ("dm", "dm", "group")
    chat, other = expanded("telegram@Work:-100:9", "telegram:-100", origin=ORIGIN).targets
    assert (chat.chat_type, chat.user_id) == ("group", "42")
    assert (other.chat_type, other.user_id) == ("dm", None)


def test_an_origin_whose_account_is_gone_or_disabled_is_not_sent_through_another() -> None:
    gone = expanded("origin", "telegram", origin=replace(ORIGIN, account="old"))
    assert gone.targets == ()
    assert {one.text for one in gone.problems} == {
        f"{NOWHERE}: the account `telegram@old` is not configured any more"
    }
    off = expanded("slack", origin=Target("slack", "C9"))
    assert [one.text for one in off.problems] == [f"{NOWHERE}: the account `slack` is disabled: its token is blank"]


IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.from_regex(
    r"\A[!$#-]?[a-zA-Z0-9:%. ]{1,12}\Z"
)


@given(IDS, st.none() | IDS, st.sampled_from([None, CHAT_FORM]))
def test_what_is_written_means_the_same_place_again(chat: str, thread: str | None, chat_form: str | None) -> None:
    known = {Account("matrix", "work"): account("matrix@work", chat_form=chat_form)}
    target = Target("matrix", chat, "work", thread, OPS)
    text = written(target, chat_form)
    assert expand([text], owner=OPS, origin=None, accounts=known, homes={}).targets == (target,)
    assert "\n" not in text


@given(st.text(max_size=30), st.sampled_from([None, CHAT_FORM]))
def test_any_text_is_a_place_that_can_be_written_or_is_refused(text: str, chat_form: str | None) -> None:
    try:
        chat, thread = read_place(text, chat_form)
    except MalformedPlace:
        return
    assert chat
    assert read_place(written_place(chat, thread, chat_form), chat_form) == (chat, thread)


def test_a_matrix_room_is_written_with_its_colon_escaped() -> None:
    room = Target("matrix", "!room:server.org", thread_id="$thread")
    assert written(room, CHAT_FORM) == "matrix:!room%3Aserver.org:$thread"


def test_a_thread_that_looks_like_a_server_stays_a_thread() -> None:
    text = written_place("!room", "server.org", CHAT_FORM)
    assert text == "%21room:server.org"
    assert read_place(text, CHAT_FORM) == ("!room", "server.org")
