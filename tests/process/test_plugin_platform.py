"""A platform of somebody else's package: installed as people install one, set up, talked to (SPEC 8.2, 12, 13)."""

import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.process.gateway import ROOT, GatewayProcess, gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model

pytestmark = pytest.mark.slow

EXAMPLE: Final = ROOT / "examples" / "plugins" / "irc"
LONG: Final = " ".join(f"Sentence {n} of a long answer, with an ü." for n in range(1, 41))
_MINUTES: Final = 600.0


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as somebody has it who was given nothing else."""
    copy = tmp_path_factory.mktemp("package") / "irc"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    return copy


@pytest.fixture(scope="module")
def installed(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed, by pip, from its folder alone."""
    place = tmp_path_factory.mktemp("site")
    options = "--quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", str(place), str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_MINUTES)
    assert done.returncode == 0, done.stderr
    return place


@dataclass(frozen=True, slots=True)
class Irc:
    """The servers and people of the package's own tests."""

    ngircd: Any
    peer: Any
    person: Any

    def server(self, folder: Path) -> Any:
        """ngIRCd; where there is none, the peer."""
        if self.ngircd.PROGRAM is None:
            print(self.ngircd.WHY_NOT)
            return self.peer.Peer()
        return self.ngircd.Ngircd(folder)


@pytest.fixture
def irc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Irc]:
    names = ("ngircd", "peer", "person")
    monkeypatch.syspath_prepend(EXAMPLE / "tests")
    try:
        yield Irc(*map(importlib.import_module, names))
    finally:
        for name in names:
            sys.modules.pop(name, None)


async def answer(asked: Asked) -> str:
    return LONG if "long" in asked.user_text else f"You said: {asked.user_text}"


@dataclass(frozen=True, slots=True)
class Scene:
    """A home, and where the plugin is installed."""

    home: Path
    installed: Path
    model: str

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.installed)}

    def enable(self, *plugins: str) -> None:
        write_home(
            self.home,
            {"model": {"name": "m-main", "base_url": self.model}, "plugins": {"enabled": list(plugins)}},
            {},
        )

    async def serai(self, *arguments: str) -> tuple[int, str]:
        """A command: its exit code, and all that it says."""
        errors = self.home.parent / "command-errors.txt"
        errors.write_text("")
        process = GatewayProcess(errors)
        await process.spawn(["-m", "serai", "--home", str(self.home), *arguments], self.environment)
        assert process.process.stdout is not None
        out = (await process.process.stdout.read()).decode()
        return await process.ended(), out + process.errors()

    async def set_up(self, server: Any) -> tuple[int, str]:
        secret = self.home.parent / "password.txt"
        secret.write_text(f"{server.password}\n")
        settings = (f"port={server.port}", "server=127.0.0.1", "tls=false", "nick=serai", "known_by=nick")
        given = [word for one in (*settings, 'channels=["#serai"]') for word in ("--set", one)]
        password = ("--secret", f"password_env={secret}")
        return await self.serai("setup", "irc", "--yes", *given, *password, "--allow-user", "alice")


@asynccontextmanager
async def scene(folder: Path, installed: Path) -> AsyncIterator[Scene]:
    async with stub_model(answer) as model:
        yield Scene(folder / "home", installed, model)


async def test_a_package_is_installed_set_up_under_a_running_gateway_and_talked_to(
    tmp_path: Path, installed: Path, irc: Irc
) -> None:
    async with scene(tmp_path, installed) as one, irc.server(tmp_path) as server, gateways(tmp_path) as nursery:
        one.enable()
        await nursery.start(["-m", "serai", "--home", str(one.home), "up", "--port", "0"], one.environment)
        code, said = await one.set_up(server)
        assert (code, "the plugin `irc` is there, but not enabled" in said) == (1, True), said
        one.enable("irc")
        there = irc.person.Person.there
        async with (
            await there(server, "alice", "#serai") as alice,
            await there(server, "mallory", "#serai") as mallory,
        ):
            code, said = await one.set_up(server)
            assert code == 0, said
            assert "Fine: the server takes the bot as serai" in said
            assert server.password not in said
            await alice.sees(":serai!")  # the running gateway has connected it

            alice.types("PRIVMSG #serai :serai: hello")
            assert (await alice.sees("PRIVMSG")).endswith(" PRIVMSG #serai :You said: hello")
            alice.types("PRIVMSG #serai :hello, everybody", "PRIVMSG serai :something long")
            told = ""
            while len(told) < len(LONG):
                line = await alice.sees("PRIVMSG alice :")
                assert len(line.encode()) <= 510
                told = f"{told} {line.partition(' :')[2]}".strip()
            assert told == LONG
            mallory.types("PRIVMSG serai :what did she say?")
            assert "You said" not in await mallory.sees("PRIVMSG mallory :")
            assert all("everybody" not in line for line in mallory.lines if line.startswith(":serai"))

            code, said = await one.serai("status", "--json")
            assert "running as serai" in said
            assert (await one.serai("config", "check"))[0] == 0
            assert "irc" not in (await one.serai("doctor"))[1]


async def test_the_gateway_starts_with_it_and_doctor_tells_what_the_server_refuses(
    tmp_path: Path, installed: Path, irc: Irc
) -> None:
    async with scene(tmp_path, installed) as one, irc.server(tmp_path) as server, gateways(tmp_path) as nursery:
        one.enable("irc")
        assert (await one.set_up(server))[0] == 0
        async with await irc.person.Person.there(server, "alice", "#serai") as alice:
            await nursery.start(["-m", "serai", "--home", str(one.home), "up", "--port", "0"], one.environment)
            await alice.sees(":serai!")
            await nursery.all[0].stop()
            await alice.sees("QUIT")
        (one.home / ".env").write_text("IRC_PASSWORD=fake-wrong-password\n")
        said = (await one.serai("doctor"))[1]
        assert "serious: platform: irc: the server refuses the password" in said
        assert "fake-wrong-password" not in said


def test_the_packages_own_tests_pass_without_anything_of_ours(package: Path) -> None:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(package.parent),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest"]
    done = subprocess.run(command, cwd=package, env=environment, capture_output=True, text=True, timeout=_MINUTES)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
