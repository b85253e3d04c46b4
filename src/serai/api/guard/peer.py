"""Who is at the other end, through reverse proxies that the operator trusts (SPEC 11.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import hdrs
from multidict import istr

from serai.api.error import ApiError
from serai.api.header import Headers, only

FORWARDED_FOR: Final = istr(hdrs.X_FORWARDED_FOR)
FORWARDED_HOST: Final = istr(hdrs.X_FORWARDED_HOST)
HOST: Final = istr(hdrs.HOST)

_PASSED_ON: Final = (
    FORWARDED_FOR,
    FORWARDED_HOST,
    istr(hdrs.X_FORWARDED_PROTO),
    istr(hdrs.FORWARDED),
    istr(hdrs.VIA),
    istr("X-Real-IP"),
)
"""Headers that proxies add, and no client of its own accord: any of them says that the request was passed on."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Proxies:
    """The trusted reverse proxies: addresses and networks."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def named(cls, names: Iterable[str]) -> "Proxies":
        """From addresses (`10.0.0.1`) and networks (`10.0.0.0/8`). Raises ValueError for anything else."""
        return cls(tuple(ip_network(name, strict=False) for name in names))

    def trusts(self, peer: str | None) -> bool:
        """Whether this peer's word about its own clients counts."""
        address = parsed(peer)
        return address is not None and any(address in network for network in self.networks)

    def host(self, headers: Headers, peer: str | None) -> str:
        """The host that the client asked for. Raises ApiError 400 where it named none, or two."""
        host = only(headers, HOST)
        if self.networks and self.trusts(peer):
            forwarded = only(headers, FORWARDED_HOST)
            host = forwarded.rpartition(",")[2].strip() if forwarded else host
        if not host:
            raise ApiError(400, "missing_host", "The request names no Host.", param="Host")
        return host

    def is_local(self, headers: Headers, peer: str | None) -> bool:
        """Whether the request began on this machine.

        One that was passed on did not, whatever its headers say: an unknown proxy on this machine passes on the
        outside world, and that must not be taken for the operator. A trusted one names the caller in X-Forwarded-For.
        """
        if not is_loopback(peer):
            return False
        if not any(name in headers for name in _PASSED_ON):
            return True
        named = [name.strip() for line in headers.getall(FORWARDED_FOR, ()) for name in line.split(",")]
        strangers = [name for name in named if not self.trusts(name)]
        caller = strangers[-1:] or named[:1]
        return self.trusts(peer) and bool(caller) and is_loopback(caller[0])


@lru_cache(maxsize=256)
def parsed(address: str | None) -> Address | None:
    """An address as the socket or a proxy wrote it; None where it is none."""
    try:
        found = ip_address((address or "").strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def is_loopback(address: str | None) -> bool:
    """Whether an address is this machine's own."""
    found = parsed(address)
    return found is not None and found.is_loopback
