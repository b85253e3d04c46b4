"""A reader who types what a page shows: an empty home, a shell, and a gateway once the page starts one."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from click.testing import CliRunner

from serai.cli.root import root
from tests.docs.console import Step, ids
from tests.docs.gateway import Up
from tests.docs.model import model
from tests.docs.page import Block
from tests.patience import PATIENCE_S
from tests.port import reserved

USER: Final = "/home/ada"
MODEL: Final = "127.0.0.1:8000"
GATEWAY: Final = "127.0.0.1:8642"
CALLBACK: Final = "127.0.0.1:9000"
"""The reader's directory and the addresses as the pages write them."""

_SHELL_SIGNS: Final = frozenset("|&;<>$`")


class Reader:
    """`user` is the reader's own directory. Pages name it, and addresses, in their own way; real ones take their
    place in what is typed, and the other way round in what is printed."""

    def __init__(self, user: Path, model_port: int, callback_port: int) -> None:
        self._user = user
        answers = f"127.0.0.1:{callback_port}"
        self._real = {MODEL: f"127.0.0.1:{model_port}", CALLBACK: answers, USER: str(user)}
        self._real |= {_as_pair(CALLBACK): _as_pair(answers)}
        self._up: Up | None = None
        self._code = 0

    def keep(self, block: Block) -> None:
        """Makes the file whose content the block is."""
        name = block.file
        assert name is not None
        path = self._user / (name.removeprefix("~/") if name.startswith("~/") else f".serai/{name}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(self._as_it_is(block.text), encoding="utf-8")

    def do(self, command: str) -> Step:
        """Types a command and reads what it prints."""
        typed = self._as_it_is(command)
        if typed.split()[:2] == ["serai", "up"]:
            said = self._start(shlex.split(typed)[1:])
        elif typed.startswith("serai ") and not _SHELL_SIGNS.intersection(typed):
            said = self._serai(shlex.split(typed)[1:])
        else:
            said = self._shell(typed)
        return Step(command, _lines(self._as_written(said)))

    def learn(self, shown: str, now: str) -> None:
        """The ids of a page stand for those that there are now, also in later commands."""
        before, after = ids(shown), ids(now)
        if len(before) == len(after):
            self._real |= {written: real for written, real in zip(before, after, strict=True) if written != real}

    def told_anew(self, step: Step) -> Step:
        """The step with the page's names for everything that has been learnt."""
        return Step(step.command, self._as_written(step.output))

    def leave(self) -> None:
        if self._up is not None:
            self._up.stop()

    @property
    def _environment(self) -> dict[str, str]:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
        return {"PATH": path, "HOME": str(self._user), "LANG": "C.UTF-8", "TZ": "UTC"}

    def _start(self, arguments: list[str]) -> str:
        self.leave()
        self._up = Up(arguments, self._environment)
        self._real[GATEWAY] = self._up.address
        return self._up.said

    def _serai(self, arguments: list[str]) -> str:
        variables = {"SERAI_HOME": None, "HOME": str(self._user), "TZ": "UTC"}
        done = CliRunner().invoke(root, arguments, env=variables)
        self._code = done.exit_code
        return done.output

    def _shell(self, command: str) -> str:
        """Through a shell that knows the last command's exit code."""
        done = subprocess.run(
            ["/bin/sh", "-c", f"(exit {self._code}); {command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._user,
            env=self._environment,
            timeout=PATIENCE_S,
            check=False,
        )
        self._code = done.returncode
        return done.stdout.decode()

    def _as_it_is(self, text: str) -> str:
        for written, real in self._real.items():
            text = text.replace(written, real)
        return text

    def _as_written(self, text: str) -> str:
        for written, real in self._real.items():
            text = text.replace(real, written)
        return text


@contextmanager
def reader(user: Path) -> Iterator[Reader]:
    """A reader whose directory is `user`, with a model; everything that was started ends with the block."""
    user.mkdir(mode=0o700)
    with model() as port, reserved() as callback:
        one = Reader(user, port, callback)
        try:
            yield one
        finally:
            one.leave()


def _as_pair(address: str) -> str:
    """The address as Python's servers take it."""
    host, _, port = address.partition(":")
    return f'"{host}", {port}'


def _lines(text: str) -> str:
    """Whole lines, so that the next command begins on one of its own."""
    text = text.replace("\r\n", "\n")
    return text if not text or text.endswith("\n") else f"{text}\n"
