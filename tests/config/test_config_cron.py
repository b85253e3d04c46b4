"""The machine's time zone, and whose schedules are on (SPEC 2.2); the rest is in golden/."""

from pathlib import Path

from serai.config.cron import machine_zone
from serai.config.load import Loaded, load
from serai.core.ids import AgentId

OPS, LAB = AgentId("ops"), AgentId("lab")


def loaded(home: Path, text: str) -> Loaded:
    (home / "config.yaml").write_text(f"model: {{name: m, provider: ollama}}\n{text}")
    return load(home, {"TZ": "UTC"}, {}, ())


def linked(home: Path) -> None:
    """`lab` has its `cron` from `ops`, through a symbolic link."""
    (home / "agents" / "ops" / "cron").mkdir(parents=True)
    (home / "agents" / "lab").mkdir()
    (home / "agents" / "lab" / "cron").symlink_to(home / "agents" / "ops" / "cron")


def test_agents_whose_schedules_are_one_through_a_link_have_theirs_off_and_that_is_told(tmp_path: Path) -> None:
    linked(tmp_path)
    result = loaded(tmp_path, "agents: {ops: {}, lab: {}}\n")
    assert result.problems == ()
    assert result.snapshot is not None
    off = {agent: profile.schedules for agent, profile in result.snapshot.agents.items()}
    assert off["main"] is None
    assert off[OPS] == off[LAB] == result.notices[0]
    assert "share the schedules in" in result.notices[0]
    assert "exactly one of them must set cron_owner: true" in result.notices[0]


def test_the_owner_alone_runs_the_schedules_that_agents_share(tmp_path: Path) -> None:
    linked(tmp_path)
    result = loaded(tmp_path, "agents: {ops: {}, lab: {cron_owner: true}}\n")
    assert result.snapshot is not None
    assert result.snapshot.agents[LAB].schedules is None
    assert result.snapshot.agents[OPS].schedules == result.notices[0]
    assert "`lab` runs them" in result.notices[0]


def test_two_owners_of_the_same_schedules_are_a_problem_of_both(tmp_path: Path) -> None:
    linked(tmp_path)
    result = loaded(tmp_path, "agents: {ops: {cron_owner: true}, lab: {cron_owner: true}}\n")
    assert [one.subject for one in result.problems] == [OPS, LAB]


def test_the_machines_zone_is_that_of_its_environment(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    for value in (
        "Asia/Tokyo",
        ":Asia/Tokyo",
        ":/usr/share/zoneinfo/Asia/Tokyo",
        "/usr/share/zoneinfo/posix/Asia/Tokyo",
    ):
        assert machine_zone({"TZ": value}, nowhere) == "Asia/Tokyo"


def test_without_a_known_name_there_it_is_where_the_link_of_the_system_leads_to(tmp_path: Path) -> None:
    zones = tmp_path / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    (zones / "Berlin").touch()
    link = tmp_path / "localtime"
    link.symlink_to(zones / "Berlin")
    for value in ("", " ", "CET-1CEST", "Nowhere/At_All"):
        assert machine_zone({"TZ": value}, link) == "Europe/Berlin"
    assert machine_zone({}, link) == "Europe/Berlin"


def test_where_neither_says_anything_it_is_utc(tmp_path: Path) -> None:
    copy, astray = tmp_path / "copy", tmp_path / "astray"
    copy.write_bytes(b"TZif2")
    astray.symlink_to("/usr/share/zoneinfo/Nowhere")
    for link in (copy, astray, tmp_path / "none"):
        assert machine_zone({}, link) == "UTC"
