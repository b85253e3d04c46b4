"""Over TLS, the server must be the one that is meant."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from bot import Bot, kept
from ngircd import PROGRAM, WHY_NOT, Ngircd

OPENSSL = shutil.which("openssl")


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of localhost that nobody has signed but itself, and its key."""
    files = folder / "certificate.pem", folder / "key.pem"
    options = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command = [str(OPENSSL), *options.split(), "-out", str(files[0]), "-keyout", str(files[1])]
    subprocess.run(command, check=True, capture_output=True)
    return files


@pytest.mark.skipif(PROGRAM is None, reason=WHY_NOT)
@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_over_tls_the_server_must_be_the_one_that_is_meant(tmp_path: Path) -> None:
    async def scene() -> None:
        files = certificate(tmp_path)
        async with Ngircd(tmp_path, files) as server:
            there: dict[str, Any] = {"tls": True, "port": server.tls_port, "server": "localhost"}
            async with kept(server, ca_file=str(files[0]), **there) as bot:
                assert bot.gateway.logins == ["serai"]
            stranger = Bot(server, **there)
            keeping = asyncio.create_task(stranger.keep())
            async with asyncio.timeout(60):
                while not stranger.ends:
                    await asyncio.sleep(0.01)
            keeping.cancel()
            assert "certificate" in str(stranger.ends[0]).lower()
            assert stranger.gateway.logins == []

    asyncio.run(scene())
