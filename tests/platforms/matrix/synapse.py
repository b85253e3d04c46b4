"""A real homeserver: Synapse, of a pinned version and in an environment of its own, on loopback.

The environment is made once and kept outside of the repository, for Synapse's requirements must not meet the
product's.
"""

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.port import reserved

VERSION: Final = "1.163.2"
_SECRET: Final = "fake-registration-secret"
_FREE: Final = {"per_second": 1000, "burst_count": 1000}


class Unavailable(Exception):
    """Synapse cannot be had here; the text says why."""


@dataclass(frozen=True, slots=True)
class User:
    """An account with one session."""

    user_id: str
    token: str
    device_id: str


class Synapse:
    """A running homeserver. `limit` and `revoke` are what an administrator can do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._admin = ""

    def register(self, name: str, *, admin: bool = False) -> User:
        """A fresh account, whose name begins with `name`."""
        path = "/_synapse/admin/v1/register"
        nonce = self.call("GET", path)["nonce"]
        user, password = f"{name}-{secrets.token_hex(4)}", "fake-password"
        parts = (nonce, user, password, "admin" if admin else "notadmin")
        mac = hmac.new(_SECRET.encode(), "\0".join(parts).encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "displayname": name.title(), "password": password}
        made = self.call("POST", path, {**body, "admin": admin, "mac": mac})
        return User(made["user_id"], made["access_token"], made["device_id"])

    def limit(self, user: User) -> None:
        """Lets the user send one message a second."""
        path = f"/_synapse/admin/v1/users/{user.user_id}/override_ratelimit"
        self.call("POST", path, {"messages_per_second": 1, "burst_count": 1}, self._admin_token())

    def revoke(self, user: User) -> None:
        """Ends all sessions of the user, as a lost token is revoked."""
        self.call("POST", "/_matrix/client/v3/logout/all", {}, user.token)

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """One request; returns the answer's document. Raises HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def _admin_token(self) -> str:
        if not self._admin:
            self._admin = self.register("admin", admin=True).token
        return self._admin


@contextmanager
def running(folder: Path) -> Iterator[Synapse]:
    """A homeserver with its data in `folder`. Raises Unavailable."""
    python = _environment()
    base, overlay = folder / "homeserver.yaml", folder / "overlay.yaml"
    module = [str(python), "-m", "synapse.app.homeserver"]
    with ExitStack() as stack:
        port = stack.enter_context(reserved())
        out = stack.enter_context((folder / "synapse.out").open("wb"))
        generate = ["--server-name", "localhost", "--config-path", str(base), "--generate-config"]
        subprocess.run([*module, *generate, "--report-stats=no"], cwd=folder, stdout=out, stderr=out, check=True)
        overlay.write_text(json.dumps(_settings(port)))
        process = subprocess.Popen([*module, "-c", str(base), "-c", str(overlay)], cwd=folder, stdout=out, stderr=out)
        stack.callback(_end, process)
        server = Synapse(f"http://127.0.0.1:{port}")
        _wait(server, process, folder)
        yield server


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _settings(port: int) -> dict[str, Any]:
    listener = {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "tls": False}
    return {
        "listeners": [{**listener, "resources": [{"names": ["client", "media"], "compress": False}]}],
        "trusted_key_servers": [],
        "federation_domain_whitelist": [],
        "registration_shared_secret": _SECRET,
        "rc_message": _FREE,
        "rc_registration": _FREE,
        "rc_login": {"address": _FREE, "account": _FREE, "failed_attempts": _FREE},
        "rc_joins": {"local": _FREE, "remote": _FREE},
        "rc_invites": {"per_room": _FREE, "per_user": _FREE, "per_issuer": _FREE},
    }


def _wait(server: Synapse, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"Synapse ended: {(folder / 'synapse.out').read_text()[-2000:]}")
        try:
            server.call("GET", "/_matrix/client/versions")
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("Synapse did not start within two minutes")


def _environment() -> Path:
    """Synapse's own Python; made on first use. Raises Unavailable."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "serai-tests"
    folder = cache / f"synapse-{VERSION}"
    done = folder / "installed"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"no folder to keep Synapse in: {error}") from None
    with (cache / "synapse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of the same tests may be making it
        if not done.exists():
            _install(folder)
            done.touch()
    return folder / "bin" / "python"


def _install(folder: Path) -> None:
    venv = [sys.executable, "-m", "venv", "--without-pip", "--clear", str(folder)]
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet"]
    try:
        subprocess.run(venv, check=True, capture_output=True)
        subprocess.run(
            [*pip, "--no-compile", "--only-binary", ":all:", f"matrix-synapse=={VERSION}"],
            check=True,
            capture_output=True,
            timeout=900,
        )
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise Unavailable(f"Synapse {VERSION} cannot be installed: {' '.join(last)}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"Synapse {VERSION} cannot be installed: {type(error).__name__}") from None
