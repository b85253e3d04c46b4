"""People at a server, whichever it is: what they type, what they see."""

import asyncio
from typing import Final, Protocol

PATIENCE_S: Final = 60.0
"""Real seconds, and only to end a test that would hang for ever."""


class Server(Protocol):
    """Where to connect."""

    @property
    def port(self) -> int: ...
    @property
    def password(self) -> str: ...
    async def restart(self) -> None: ...


class Person:
    """A client that is used by hand, and gone at the end of its block. `lines` is all that it has seen."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.lines: list[str] = []

    @classmethod
    async def there(cls, server: Server, nick: str, *channels: str) -> "Person":
        """Somebody who is logged in, and in some channels."""
        person = await cls.outside(server)
        person.types(f"PASS {server.password}", f"NICK {nick}", f"USER {nick[:8]} 0 * :{nick}")
        await person.sees(" 376 ")
        for channel in channels:
            person.types(f"JOIN {channel}")
            await person.sees(" 366 ")
        return person

    @classmethod
    async def outside(cls, server: Server) -> "Person":
        """Somebody who has only connected."""
        return cls(*await asyncio.open_connection("127.0.0.1", server.port))

    async def __aenter__(self) -> "Person":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    def types(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def sees(self, text: str) -> str:
        """Waits for the next line with that text in it, and returns it. Raises AssertionError where none comes."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while line := (await self._reader.readline()).decode().rstrip("\r\n"):
                    self.lines.append(line)
                    if line.startswith("PING"):
                        self.types(line.replace("PING", "PONG"))
                    if text in line:
                        return line
        except TimeoutError:
            pass
        raise AssertionError(f"{text!r} was not seen, but {self.lines}")

    async def replies(self) -> list[str]:
        """What comes until all that was typed is done."""
        seen = len(self.lines)
        self.types("PING done")
        await self.sees("PONG")
        return self.lines[seen:-1]

    async def end(self) -> list[str]:
        """What comes until the server has ended the connection."""
        async with asyncio.timeout(PATIENCE_S):
            rest = (await self._reader.read()).decode()
        return rest.splitlines()
