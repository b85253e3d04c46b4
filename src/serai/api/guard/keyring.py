"""Which key a bearer token is (SPEC 11.1)."""

from collections.abc import Iterable
from hashlib import blake2b
from hmac import compare_digest

from serai.core.principal import LOCAL, Principal
from serai.core.snapshot import ApiKey
from serai.ports.secrets import SecretMissing, Secrets


class KeyRing:
    """The configured keys by digest, so that a look-up tells nothing by its time and costs the same for any number.

    A key whose secret is missing opens nothing.
    """

    def __init__(self, keys: Iterable[ApiKey], secrets: Secrets, local_token: str) -> None:
        self._known: dict[bytes, tuple[bytes, Principal]] = {}
        self._named: dict[str, tuple[bytes, Principal]] = {}
        if local_token:
            self._add(local_token, LOCAL)
        for key in keys:
            try:
                secret = secrets.get(None, key.secret_name)
            except SecretMissing:
                continue
            self._add(secret, Principal(key.name, key.agents, key.admin))

    def _add(self, secret: str, principal: Principal) -> None:
        digest = blake2b(secret.encode(), digest_size=32).digest()
        self._known.setdefault(digest, (digest, principal))
        self._named[principal.name] = (digest, principal)

    def named(self, name: str) -> tuple[bytes, Principal] | None:
        """The digest of a key by its name, and who it is."""
        return self._named.get(name)

    def find(self, token: str) -> Principal | None:
        """Whose token it is; None for a stranger's."""
        digest = blake2b(token.encode(), digest_size=32).digest()
        known = self._known.get(digest)
        return known[1] if known is not None and compare_digest(known[0], digest) else None
