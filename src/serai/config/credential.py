"""The secrets that the gateway itself reads: those of accounts and of API keys (SPEC 2.4, 2.5, 11.1)."""

from collections.abc import Iterable, Mapping

from serai.config.account import AccountSection
from serai.config.api import ApiSection
from serai.config.report import Report, shown
from serai.config.secret import Lookup
from serai.core.ids import Account


def account_secrets(accounts: Iterable[AccountSection], lookup: Lookup, report: Report) -> Mapping[str, str]:
    """The values by name. A missing one disables its account; one that another account of the platform has, too."""
    values: dict[str, str] = {}
    owners: dict[tuple[str, str], Account] = {}
    for one in accounts:
        for mention in one.secrets:
            found = lookup.find(mention.name)
            if isinstance(found, str):
                report.add(mention.place, found)
                continue
            owner = owners.setdefault((one.account.platform, found.value), one.account)
            if owner != one.account:
                report.add(mention.place, f"this is the credential of the account {shown(str(owner))} already")
            values[mention.name] = found.value
    return values


def key_secrets(api: ApiSection, lookup: Lookup, report: Report) -> Mapping[str, str]:
    """The values by name. A missing one, or two keys that are the same, are the gateway's problem."""
    values: dict[str, str] = {}
    owners: dict[str, str] = {}
    for key, mention in zip(api.settings.keys, api.secrets, strict=True):
        found = lookup.find(mention.name)
        if isinstance(found, str):
            report.add(mention.place, found)
            continue
        owner = owners.setdefault(found.value, key.name)
        if owner != key.name:
            report.add(mention.place, f"this is the same secret as that of the key {shown(owner)}")
        values[mention.name] = found.value
    return values
