"""The section `cron`, and whose schedules are on (SPEC 2.2, 9.3, 16.1)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from serai.config.agent import AgentSettings
from serai.config.home import listed, real
from serai.config.report import Report, shown
from serai.config.section import Section
from serai.core.cron import CronPolicy
from serai.core.ids import AgentId
from serai.core.zone import UnknownZone, zone_named, zone_names

_KEYS: Final = ("timezone", "max_parallel_jobs")
_MACHINE: Final = Path("/etc/localtime")
_ZONES: Final = "zoneinfo/"


def read_cron(root: Section, environment: Mapping[str, str]) -> CronPolicy:
    """The policy; the zone is the machine's where the file names none."""
    section = root.section("cron", _KEYS)
    usual = CronPolicy()
    return CronPolicy(
        _zone(section) or machine_zone(environment),
        section.number("max_parallel_jobs", usual.max_parallel_jobs),
    )


def _zone(section: Section) -> str | None:
    name = section.text("timezone")
    if name is None or _known(name):
        return name
    place = section.place_of("timezone")
    section.report.unknown(place, f"there is no time zone {shown(name)}", name, zone_names())
    return None


def machine_zone(environment: Mapping[str, str], link: Path = _MACHINE) -> str:
    """The name of the zone that the machine's clocks show: TZ, else what `link` leads to, else UTC."""
    named = _name(environment.get("TZ", "").strip().removeprefix(":"))
    if named and _known(named):
        return named
    try:
        linked = _name(str(link.readlink()))
    except OSError:
        return "UTC"
    # A link that leads somewhere is right: to read the zone would cost every start.
    return linked if linked and link.exists() else "UTC"


def _name(path: str) -> str:
    """`Europe/Berlin` also of `/usr/share/zoneinfo/Europe/Berlin`."""
    return path.rpartition(_ZONES)[2].removeprefix("posix/")


def _known(name: str) -> bool:
    try:
        zone_named(name)
    except UnknownZone:
        return False
    return True


def schedules_off(
    agents: Iterable[AgentSettings], homes: Mapping[AgentId, Path], report: Report, notices: list[str]
) -> dict[AgentId, str]:
    """Why which agents' schedules are off; those that are not in the result have theirs on.

    Agents share schedules where their `cron` directories are one, also through links. Then they are on for the one
    that sets `cron_owner: true`; two that do are a problem of both. Sharing is told in `notices`.
    """
    off: dict[AgentId, str] = {}
    tenants: dict[str, list[AgentSettings]] = {}
    for one in agents:
        tenants.setdefault(real(homes[one.id] / "cron"), []).append(one)
    for group in tenants.values():
        if len(group) > 1:
            off |= _shared(homes[group[0].id] / "cron", group, report, notices)
        elif group[0].cron_owner is False:
            off[group[0].id] = f"the schedules of {shown(group[0].id)} are off, as its cron_owner says"
    return off


def _shared(directory: Path, group: list[AgentSettings], report: Report, notices: list[str]) -> dict[AgentId, str]:
    sharing = f"the agents {listed(one.id for one in group)} share the schedules in {directory}"
    owners = [one for one in group if one.cron_owner]
    for one in owners if len(owners) > 1 else ():
        others = listed(other.id for other in owners if other is not one)
        place = one.place.key("cron_owner", one.place.line)
        report.add(place, f"{others} shares these schedules and sets it too; only one agent may own them")
    if len(owners) == 1:
        text = f"{sharing}; {shown(owners[0].id)} runs them, as its cron_owner says"
    else:
        text = f"{sharing}, which are off: exactly one of them must set cron_owner: true"
    notices.append(text)
    return {one.id: text for one in group if owners != [one]}
