"""What is different between two configurations, and what keeps the earlier one (SPEC 2.6)."""

from dataclasses import replace
from pathlib import Path

from serai.core.change import differences, fixed_at_start, new_problems
from serai.core.cron import CronPolicy
from serai.core.ids import Account, AgentId
from serai.core.profile import AgentProfile
from serai.core.route import Route, RouteTable
from serai.core.snapshot import Access, AccountSettings, ApiSettings, Problem, Snapshot

MAIN, OPS = AgentId("main"), AgentId("ops")
WORK = Account("webhook", "work")
HOME = Path("/nowhere")
ROUTE = Route(1, {"chat_id": frozenset({"1"})}, MAIN, line=4)
BASE = Snapshot(
    "r1",
    HOME,
    {MAIN: AgentProfile(MAIN, HOME)},
    RouteTable([ROUTE]),
    accounts={WORK: AccountSettings(WORK, Access())},
)


def test_the_same_again_differs_in_nothing_also_where_lines_have_moved() -> None:
    again = replace(BASE, revision="r2", routes=RouteTable([replace(ROUTE, line=9)]))
    assert differences(BASE, again) == ()


def test_agents_and_accounts_are_added_changed_and_removed() -> None:
    agents = {MAIN: AgentProfile(MAIN, HOME, max_turns=1), OPS: AgentProfile(OPS, HOME)}
    new = replace(BASE, agents=agents, accounts={})
    assert differences(BASE, new) == ("agent main changed", "agent ops added", "account webhook@work removed")
    assert differences(new, BASE) == ("agent main changed", "agent ops removed", "account webhook@work added")
    assert differences(BASE, BASE, {WORK}) == ("account webhook@work changed",)


def test_other_settings_are_named_as_the_file_names_them() -> None:
    new = replace(
        BASE,
        routes=RouteTable([]),
        default_agent=OPS,
        max_turns=3,
        api=ApiSettings(accept_any_model=True),
        cron=CronPolicy("Europe/Berlin"),
    )
    assert differences(BASE, new) == (
        "routes changed",
        "api_server changed",
        "default_agent changed",
        "cron changed",
        "engine changed",
    )


def test_where_the_gateway_listens_and_its_plugins_are_fixed_at_start() -> None:
    new = replace(BASE, api=ApiSettings(host="::1", port=1), plugins=("p",))
    assert differences(BASE, new) == ()
    assert fixed_at_start(BASE, new) == ("api_server.host", "api_server.port", "plugins.enabled")
    assert fixed_at_start(new, new) == ()


def test_every_problem_is_new_but_one_of_an_agent_or_account_that_was_there_before() -> None:
    known = Problem("agent", "no key", "agents.ops.api_key_env", line=3, subject="ops")
    moved, other = replace(known, line=7), replace(known, text="blank")
    gateway = Problem("gateway", "unknown key", "rutes", line=3)
    assert new_problems([known, gateway], [moved, other, gateway]) == (other, gateway)
