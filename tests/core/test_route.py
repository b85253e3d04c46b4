"""Routes: which matches, and why the others did not (SPEC 4.1, 4.2, 4.6)."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from serai.core.ids import AgentId
from serai.core.route import MATCH_KEYS, Route, RouteTable, values
from serai.core.source import Source


def table(*entries: tuple[Mapping[str, object], str] | tuple[Mapping[str, object], str, bool]) -> RouteTable:
    routes = []
    for number, entry in enumerate(entries, start=1):
        match = {k: frozenset(v if isinstance(v, list) else [v]) for k, v in entry[0].items()}
        inherit = len(entry) > 2 and bool(entry[2])
        routes.append(Route(number, match, AgentId(entry[1]), inherit, line=10 + number))  # type: ignore[arg-type]
    return RouteTable(routes)


def agent(found: Route | None) -> str | None:
    return found.agent if found else None


GUILD = Source("discord", chat_id="100", chat_type="group", user_id="alice", guild_id="g", roles=("r1", "r2"))


def test_all_keys_of_a_route_must_hold() -> None:
    routes = table(({"platform": "discord", "chat_id": "100", "user_id": "bob"}, "x"), ({"chat_id": "100"}, "ops"))
    assert agent(routes.first(GUILD)) == "ops"


def test_the_first_match_in_declared_order_wins_whatever_its_keys() -> None:
    routes = table(({"guild_id": "g"}, "first"), ({"platform": "discord", "chat_id": "100"}, "second"))
    assert agent(routes.first(GUILD)) == "first"


def test_no_match_is_no_route() -> None:
    assert table(({"chat_id": "101"}, "ops")).first(GUILD) is None
    assert table().first(GUILD) is None


def test_values_are_exact_and_case_sensitive() -> None:
    routes = table(({"user_id": "Alice"}, "x"), ({"user_id": "ali"}, "y"), ({"user_id": "alice "}, "z"))
    assert routes.first(GUILD) is None


def test_a_list_means_any_of_them() -> None:
    routes = table(({"chat_id": ["1", "100"], "user_id": ["bob", "alice"]}, "ops"))
    assert agent(routes.first(GUILD)) == "ops"


def test_a_role_matches_any_of_the_senders_roles() -> None:
    assert agent(table(({"role": "r2"}, "ops")).first(GUILD)) == "ops"
    assert agent(table(({"role": ["x", "r1"], "guild_id": "g"}, "ops")).first(GUILD)) == "ops"
    assert table(({"role": "r3"}, "ops")).first(GUILD) is None
    assert table(({"role": "r1"}, "ops")).first(replace(GUILD, roles=())) is None


def test_lists_too_long_to_be_expanded_still_keep_the_order() -> None:
    many = [str(n) for n in range(80)]
    wide = {"chat_id": [*many, "100"], "user_id": [*many, "alice"]}
    assert agent(table((wide, "wide"), ({"chat_id": "100"}, "plain")).first(GUILD)) == "wide"
    assert agent(table(({"chat_id": "100"}, "plain"), (wide, "wide")).first(GUILD)) == "plain"
    assert agent(table((wide, "wide"), (wide, "later")).first(replace(GUILD, chat_id="79", user_id="0"))) == "wide"


THREAD = Source("discord", chat_id="t1", chat_type="thread", parent_chat_id="100", guild_id="g")


def test_a_route_reaches_threads_only_where_it_says_so() -> None:
    assert table(({"chat_id": "100"}, "ops")).first(THREAD) is None
    assert agent(table(({"chat_id": "100"}, "ops", True)).first(THREAD)) == "ops"
    assert table(({"chat_id": "100", "guild_id": "other"}, "ops", True)).first(THREAD) is None


def test_a_route_that_names_the_thread_wins_over_an_inherited_one_whatever_the_order() -> None:
    inherited, named = ({"chat_id": "100"}, "parent", True), ({"chat_id": "t1"}, "thread")
    assert agent(table(inherited, named).first(THREAD)) == "thread"
    assert agent(table(named, inherited).first(THREAD)) == "thread"


def test_a_route_that_names_something_else_keeps_its_place_among_inherited_ones() -> None:
    inherited, general = ({"chat_id": "100"}, "parent", True), ({"platform": "discord"}, "general")
    assert agent(table(inherited, general).first(THREAD)) == "parent"
    assert agent(table(general, inherited).first(THREAD)) == "general"


def test_the_explanation_names_for_each_route_the_first_key_that_did_not_hold() -> None:
    routes = table(
        ({"platform": "slack", "chat_id": "100"}, "a"),
        ({"platform": "discord", "role": ["x", "y"]}, "b"),
        ({"chat_id": "100"}, "ops"),
        ({"chat_id": "7"}, "never tried"),
    )
    tried = routes.considered(GUILD, routes.first(GUILD))
    assert [(c.route, c.line, c.failed, c.wanted, c.got) for c in tried] == [
        (1, 11, "platform", ("slack",), ("discord",)),
        (2, 12, "role", ("x", "y"), ("r1", "r2")),
    ]
    assert len(routes.considered(GUILD, None)) == 3


def _linear(routes: RouteTable, source: Source) -> Route | None:
    """The rules of SPEC 4.1 and 4.2, written down naively."""

    def holds(route: Route, seen: Source) -> bool:
        return all(wanted.intersection(values(seen, key)) for key, wanted in route.match.items())

    inherited_view = None
    if source.parent_chat_id is not None:
        inherited_view = replace(source, chat_id=source.parent_chat_id)
    direct = [r for r in routes.routes if holds(r, source)]
    inherited = [
        r
        for r in routes.routes
        if inherited_view and r.inherit_threads and "chat_id" in r.match and holds(r, inherited_view)
    ]
    best_direct, best_inherited = next(iter(direct), None), next(iter(inherited), None)
    if best_inherited is None or (best_direct and best_direct.number < best_inherited.number):
        return best_direct
    naming = [r for r in direct if {"chat_id", "thread_id", "topic_id"} & set(r.match)]
    return next(iter(naming), best_inherited)


word = st.sampled_from(["a", "b", "c"])
matches = st.dictionaries(
    st.sampled_from([key for key in MATCH_KEYS if key != "parent_chat_id"]),
    st.lists(word, min_size=1, max_size=2),
    min_size=1,
    max_size=4,
)
sources = st.builds(
    Source,
    platform=word,
    account=word,
    chat_id=st.none() | word,
    chat_type=word,
    user_id=st.none() | word,
    user_id_alt=st.none() | word,
    roles=st.lists(word, max_size=2).map(tuple),
    thread_id=st.none() | word,
    topic_id=st.none() | word,
    guild_id=st.none() | word,
    parent_chat_id=st.none() | word,
)


@settings(max_examples=400)
@given(st.lists(st.tuples(matches, st.just("x"), st.booleans()), max_size=12), sources)
def test_the_compiled_table_agrees_with_the_rules_written_down_naively(
    entries: list[tuple[Mapping[str, object], str, bool]], source: Source
) -> None:
    routes = table(*entries)
    assert routes.first(source) == _linear(routes, source)
