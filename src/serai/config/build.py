"""From settings to a snapshot (SPEC 2)."""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from serai.config.choice import Choices
from serai.config.report import Report
from serai.config.schema import Settings
from serai.config.tool import usual
from serai.core.ids import Account, AgentId
from serai.core.profile import AgentProfile, Endpoint
from serai.core.route import RouteTable
from serai.core.snapshot import AccountSettings, Snapshot

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


def build(
    revision: str,
    home: Path,
    settings: Settings,
    homes: Mapping[AgentId, Path],
    off: Mapping[AgentId, str],
    choices: Choices,
    toolsets: Collection[str],
    report: Report,
) -> Snapshot:
    """The snapshot of settings that no problem of the gateway forbids; agents and accounts with one are refused.

    `off` says why which agents' schedules are off.
    """
    return Snapshot(
        revision=revision,
        home=home,
        agents=_profiles(settings, homes, off, choices, toolsets, report),
        routes=RouteTable(settings.routes),
        default_agent=settings.default_agent,
        accounts=_accounts(settings, report),
        api=settings.api.settings,
        lanes=settings.lanes,
        reset=settings.reset,
        live=settings.live,
        cron=settings.cron,
        max_turns=settings.max_turns,
        on_unknown=settings.on_unknown,
        plugins=settings.plugins,
        gateway_model=_gateway_model(settings),
        log_level=settings.log_level,
        toolsets=settings.tools.over(usual(toolsets)),
        shared_secrets=settings.shared_secrets,
        dedupe_days=settings.dedupe_days,
        step_days=settings.step_days,
        problems=report.ordered(),
        explicit_agents=settings.explicit_agents,
        unused_agents=settings.unused_agents,
    )


def _profiles(
    settings: Settings,
    homes: Mapping[AgentId, Path],
    off: Mapping[AgentId, str],
    choices: Choices,
    toolsets: Collection[str],
    report: Report,
) -> Mapping[AgentId, AgentProfile]:
    """All agents. Equal sets are one object, so that a thousand agents of a kind cost little."""
    refusals = {AgentId(one): text for one, text in report.by_subject("agent").items()} | choices.refusals
    inherited = settings.tools.over(usual(toolsets))
    shared: dict[frozenset[str], frozenset[str]] = {inherited: inherited}
    profiles = {}
    for one in settings.agents.values():
        refusal = refusals.get(one.id)
        models = () if refusal else choices.models.get(one.id, ())
        enabled = one.tools.over(inherited)
        names = frozenset(model.key_name for model in models if model.key_name)
        profiles[one.id] = AgentProfile(
            one.id,
            homes[one.id],
            models,
            shared.setdefault(enabled, enabled),
            shared.setdefault(names, names),
            one.max_turns,
            one.allow,
            refusal=f"agent `{one.id}` cannot answer: {refusal}" if refusal else None,
            settings=_NOTHING,
            schedules=off.get(one.id),
        )
    return MappingProxyType(profiles)


def _accounts(settings: Settings, report: Report) -> Mapping[Account, AccountSettings]:
    refusals = report.by_subject("account")
    found = {
        account: AccountSettings(
            account,
            one.access,
            one.settings,
            refusals.get(str(account)),
            one.require_mention,
            one.merge,
            one.stream,
            one.file_limit,
            one.home_chat,
            one.chat_form,
        )
        for account, one in settings.accounts.items()
    }
    return MappingProxyType(found)


def _gateway_model(settings: Settings) -> Endpoint | None:
    model = settings.model
    if model.address is None or model.name is None:
        return None
    return Endpoint(model.name, model.address.base_url, model.address.provider, model.address.key_name)
