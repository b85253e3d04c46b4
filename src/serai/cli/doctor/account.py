"""The accounts of chat platforms: how the running gateway's connections are."""

from collections.abc import Iterator

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient, edit


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
