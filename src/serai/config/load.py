"""Loads a SERAI_HOME: all problems at once, or a complete snapshot (SPEC 2.3 to 2.6)."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from serai.config.build import build
from serai.config.choice import Choices
from serai.config.compose import Unreadable
from serai.config.credential import account_secrets, key_secrets
from serai.config.cron import schedules_off
from serai.config.document import Document, decoded, parse
from serai.config.dotenv import EnvFile, read_env
from serai.config.home import settle
from serai.config.layout import Layout
from serai.config.loaded import Loaded, LocalModel
from serai.config.look import Look, look
from serai.config.node import MapNode
from serai.config.report import Place, Report
from serai.config.schema import Settings, Surroundings, read_settings
from serai.config.secret import LoadedSecrets, Lookup
from serai.config.section import Section
from serai.core.ids import AgentId

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Loaded", "LocalModel", "load"]

_REVISION_LENGTH = 16


def load(
    home: Path,
    environment: Mapping[str, str],
    platforms: "Mapping[str, type[BaseModel]]",
    toolsets: Sequence[str],
    local: LocalModel | None = None,
) -> Loaded:
    """Reads config.yaml and all `.env` files of a home. Never raises for what stands in them.

    Args:
        home: SERAI_HOME, absolute. A missing config.yaml means defaults.
        environment: the process environment; where HOME and, last, secrets are looked up.
        platforms: for each platform the model of its own keys.
        toolsets: the toolsets that exist; all are enabled where the file says nothing.
        local: a model for the agents for which none is configured.
    """
    report = Report()
    notices: list[str] = []
    layout = Layout(home)
    files: dict[Path, Look] = {path: look(path) for path in (layout.config, layout.env)}
    data, root = _config(layout, report)
    gateway = read_env(layout.env, layout.env.name, Place(), report, notices)
    if root is None:
        return Loaded(None, LoadedSecrets({}), report.ordered(), False, tuple(notices), files)
    around = Surroundings(home, environment, platforms, tuple(toolsets))
    settings = read_settings(Section(root, Place(), report), around)
    homes, homeless = settle(layout, settings.agents, report, notices)
    housed = [one for one in settings.agents.values() if one.id not in homeless]
    off = schedules_off(housed, homes, report, notices)
    files |= {path: look(path) for home in homes.values() if (path := home / layout.env.name) not in files}
    own = _env_files(layout, settings, homes, report, notices)
    lookup = Lookup(gateway, environment)
    choices = _choose(settings, lookup, own, local, report)
    secrets = _secrets(settings, lookup, choices, report)
    revision = _revision(data, gateway.data, (file.data for file in own.values()))
    snapshot = None
    if not report.has("gateway"):
        snapshot = build(revision, home, settings, homes, off, choices, around.toolsets, report)
    return Loaded(snapshot, secrets, report.ordered(), choices.needs_local, tuple(notices), files)


def _config(layout: Layout, report: Report) -> tuple[bytes, MapNode | None]:
    """The file's bytes and its root; no root where a problem leaves nothing to go on with."""
    try:
        data = layout.config.read_bytes()
    except FileNotFoundError:
        return b"", MapNode(0, 0, flow=True)
    except OSError as error:
        report.add(Place(), f"the file cannot be read: {error.strerror}")
        return b"", None
    try:
        document = parse(decoded(data))
    except Unreadable as fault:
        report.add(Place(line=fault.line), fault.text)
        return data, None
    return data, _root(document, report)


def _root(document: Document, report: Report) -> MapNode | None:
    for fault in document.faults:
        report.add(Place(fault.path, fault.line), fault.text)
    if isinstance(document.root, MapNode):
        return document.root
    if document.root is None or document.root.kind == "nothing":
        report.add(Place(), "the file is empty; without a file, the agent main runs with defaults")
    else:
        report.add(Place(line=document.root.line), "the file must be a group of keys (`key: value`), nothing else")
    return None


def _env_files(
    layout: Layout, settings: Settings, homes: Mapping[AgentId, Path], report: Report, notices: list[str]
) -> Mapping[AgentId, EnvFile]:
    found = {}
    for one in settings.agents.values():
        path = homes[one.id] / layout.env.name
        label = str(path).removeprefix(f"{layout.home}/")
        found[one.id] = read_env(path, label, one.place, report, notices)
    return found


def _choose(
    settings: Settings, lookup: Lookup, files: Mapping[AgentId, EnvFile], local: LocalModel | None, report: Report
) -> Choices:
    choices = Choices(settings.model, lookup, settings.shared_secrets, local, report)
    refused = report.by_subject("agent")
    unused = settings.unused_agents
    for one in settings.agents.values():
        if one.id not in refused:
            choices.add(one.id, one.model, files[one.id], needed=one.id not in unused)
    choices.close()
    return choices


def _secrets(settings: Settings, lookup: Lookup, choices: Choices, report: Report) -> LoadedSecrets:
    """What each reader may see; an agent that is refused sees nothing."""
    for values in (
        account_secrets(settings.accounts.values(), lookup, report),
        key_secrets(settings.api, lookup, report),
    ):
        choices.values.update({(None, name): value for name, value in values.items()})
    refused = report.by_subject("agent").keys() | choices.refusals.keys()
    return LoadedSecrets({key: value for key, value in choices.values.items() if key[0] not in refused})


def _revision(config: bytes, gateway: bytes, agents: Iterable[bytes]) -> str:
    """A digest of all texts, each behind its length, so that no two ways to divide them look the same."""
    digest = sha256()
    for data in (config, gateway, *agents):
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()[:_REVISION_LENGTH]
