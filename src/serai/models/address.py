"""From an endpoint's base URL to what a request needs: the full URL, its name for people, its headers."""

from dataclasses import dataclass
from typing import Final

from aiohttp import encode_basic_auth
from multidict import CIMultiDict
from yarl import URL

from serai.core.error import NoModel

_KEPT_MOST: Final = 256


@dataclass(frozen=True, slots=True)
class Address:
    """Where chat completions are asked for. `place` is host and port alone; `login` what the URL's userinfo said."""

    url: URL
    place: str
    login: str | None = None
    hidden: tuple[str, ...] = ()

    def headers(self, key: str | None) -> CIMultiDict[str]:
        """The request's own headers. A key goes before the userinfo of the URL."""
        headers = CIMultiDict({"Content-Type": "application/json"})
        login = self.login if key is None else f"Bearer {key}"
        if login is not None:
            headers["Authorization"] = login
        return headers


class AddressBook:
    """Addresses by base URL, so that a URL is parsed once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, Address] = {}

    def find(self, base_url: str) -> Address:
        """The address of a base URL. Raises NoModel where it is no http(s) URL."""
        known = self._known.get(base_url)
        if known is None:
            known = _address(base_url)
            if len(self._known) >= _KEPT_MOST:
                self._known.clear()
            self._known[base_url] = known
        return known


def _address(base_url: str) -> Address:
    try:
        url = URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError
        path = url.raw_path.rstrip("/") + "/chat/completions"
        plain = url.with_user(None).with_path(path, encoded=True, keep_query=True)
        place = plain.host_port_subcomponent or url.host
        user, password = url.user or "", url.password or ""
    except ValueError:
        raise NoModel("a model's base_url is not a valid http or https address; correct it in config.yaml") from None
    login = encode_basic_auth(user, password) if user or password else None
    return Address(plain, place, login, tuple(text for text in (password, login) if text))
