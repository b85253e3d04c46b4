"""The accounts of chat platforms: what the platforms say to their credentials, and how the running gateway's
connections are."""

import asyncio
from collections.abc import Iterator, Sequence

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient, edit
from serai.cli.trying import tried
from serai.core.ids import Account
from serai.core.snapshot import Snapshot
from serai.platforms import Check


def connections(patient: Patient) -> Iterator[Finding]:
    """What keeps an account of the running gateway from being connected. (One that is disabled has a problem in the
    configuration, which is found there.)"""
    accounts = (patient.ready or {}).get("accounts")
    for account, text in accounts.items() if isinstance(accounts, dict) else ():
        state, _, reason = str(text).partition(": ")
        if state == "shut":
            mend = f"{edit(patient.layout.env)}  # then: serai reload"
            yield Finding("serious", "platform", f"{account} stays disconnected: {reason}", mend)
        elif state == "waiting":
            yield Finding("warning", "platform", f"{account} is not connected: {reason}", "serai logs")


def credentials(patient: Patient) -> Iterator[Finding]:
    """What each account's platform says to it. Nothing is sent to anybody."""
    if patient.snapshot is not None:
        for account, shown in asyncio.run(_all(patient, patient.snapshot)):
            for one in shown:
                if not one.ok:
                    mend = one.mend or edit(patient.layout.config)
                    yield Finding("serious", "platform", f"{account}: {one.text}", mend)


async def _all(patient: Patient, snapshot: Snapshot) -> Sequence[tuple[Account, Sequence[Check]]]:
    usable = [account for account, one in snapshot.accounts.items() if one.refusal is None]
    secrets = patient.loaded.secrets
    found = await asyncio.gather(
        *(tried(patient.layout, snapshot, secrets, snapshot.accounts[account]) for account in usable)
    )
    return list(zip(usable, found, strict=True))
