"""What the gateway needs of the machine and of the network: its port, time, and where answers are sent."""

import asyncio
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient, edit
from serai.cli.gateway import is_running
from serai.core.address import without_credentials

RELEASED = 1_790_000_000.0
"""September 2026, in seconds since the epoch: no clock that is right shows less."""

_CONNECT_S = 3.0
_URL = "_url"
"""How the settings end that hold an address which a platform calls."""


def port(patient: Patient) -> Iterator[Finding]:
    """Whether the gateway could listen, where none runs."""
    if patient.snapshot is None or is_running(patient.layout.lock):
        return
    api = patient.snapshot.api
    reason = _refusal(api.host, api.port)
    if reason is not None:
        text = f"the gateway cannot listen at {api.host}, port {api.port}: {reason}"
        yield Finding(
            "serious", "port", text, f"{edit(patient.layout.config)}  # api_server.port, or: serai up --port 0"
        )


def _refusal(host: str, number: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
            taken.listen(1)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "another program listens there"
        return error.strerror or str(error)
    return None


def time(patient: Patient) -> Iterator[Finding]:
    from zoneinfo import available_timezones

    if patient.now < RELEASED:
        text = "this machine's clock is years behind: certificates and signatures will be refused"
        yield Finding("serious", "time", text, "sudo timedatectl set-ntp true")
    if not available_timezones():
        yield Finding("warning", "time", "this machine has no data of time zones", "pip install tzdata")


def callbacks(patient: Patient) -> Iterator[Finding]:
    """Whether somebody listens at the addresses that answers are sent to. Nothing is sent."""
    wanted: dict[str, str] = {}
    for account, one in patient.snapshot.accounts.items() if patient.snapshot else ():
        for key, value in one.settings.items():
            if key.endswith(_URL) and isinstance(value, str) and one.refusal is None:
                wanted[f"{account}: {key} {without_credentials(value)}"] = value
    for name, reason in asyncio.run(_unreachable(wanted)).items():
        text = f"nobody can be reached for {name}: {reason}"
        yield Finding("serious", "platform", text, edit(patient.layout.config))


async def _unreachable(urls: dict[str, str]) -> dict[str, str]:
    reasons = await asyncio.gather(*map(_connect, urls.values()))
    return {name: reason for name, reason in zip(urls, reasons, strict=True) if reason is not None}


async def _connect(url: str) -> str | None:
    """Why no connection can be made; None where it can."""
    address = urlsplit(url)
    number = address.port or (443 if address.scheme == "https" else 80)
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, writer = await asyncio.open_connection(address.hostname, number)
    except TimeoutError:
        return "no answer"
    except socket.gaierror:
        return "its name is not known"
    except OSError as error:
        return os.strerror(error.errno) if error.errno else str(error)
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None
