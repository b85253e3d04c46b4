"""ngIRCd, from Debian: `apt-get install ngircd`. Loopback only, with a configuration of its own."""

import asyncio
import os
import shutil
import socket
from pathlib import Path
from typing import Final

from peer import OPERATOR, PASSWORD

PROGRAM: Final = shutil.which("ngircd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
WHY_NOT: Final = "ngircd is not installed (Debian: apt-get install ngircd)"

_CONFIG: Final = """\
[Global]
 Name = irc.test
 Info = for tests
 Listen = 127.0.0.1
 Ports = {port}
 Password = {password}
 {server_user}
[Limits]
 MaxPenaltyTime = 0
 MaxConnectionsIP = 0
 MaxNickLength = 30
[Options]
 DNS = no
 Ident = no
 PAM = no
[Operator]
 Name = {operator[0]}
 Password = {operator[1]}
"""

_TLS: Final = """\
[SSL]
 CertFile = {certificate}
 KeyFile = {key}
 Ports = {port}
"""


class Ngircd:
    """One server. With a certificate (a file, and that of its key) it has a second port, for TLS."""

    def __init__(self, folder: Path, certificate: tuple[Path, Path] | None = None) -> None:
        self.password = PASSWORD
        self.port = _free_port()
        self.tls_port = _free_port()
        server_user = "ServerUID = root\n ServerGID = root" if os.geteuid() == 0 else ""  # else it wants `irc`
        text = _CONFIG.format(port=self.port, password=PASSWORD, operator=OPERATOR, server_user=server_user)
        if certificate is not None:
            text += _TLS.format(port=self.tls_port, certificate=certificate[0], key=certificate[1])
        self._file = folder / "ngircd.conf"
        self._file.write_text(text)
        self._log = folder / "ngircd.log"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Ngircd":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> None:
        """Starts it and waits until it listens."""
        assert PROGRAM is not None, WHY_NOT
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                PROGRAM, "-n", "-f", self._file, stdout=log, stderr=log
            )
        async with asyncio.timeout(60):
            while not await self._listens():
                assert self._process.returncode is None, self._log.read_text()
                await asyncio.sleep(0.02)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    async def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            await asyncio.wait_for(self._process.wait(), 60)

    async def restart(self) -> None:
        await self.close()
        await self.open()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
