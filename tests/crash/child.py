"""The real gateway, which kills itself at a named point.

    python -m tests.crash.child --home HOME --journal FILE --point finish.after --nth 2

Prints its address when it is up. `--hang` makes the tools `note` and `ping` wait for the journal's leave, `--grace`
shortens what a SIGTERM grants to running turns, `--file-limit` bounds the size of any file that it writes, in bytes.
"""

import argparse
import resource
from pathlib import Path

from serai.app import up
from serai.app.gateway import Gateway
from serai.app.wrapping import Wrapping
from serai.config import environment
from tests.crash.fused import FusedFiles, FusedModel, FusedPlatform, FusedSlots, FusedStore
from tests.crash.journal import Journal
from tests.crash.point import Fuse
from tests.crash.tool import EffectToolbox


def wrapping(fuse: Fuse, journal: Journal, *, hangs: bool) -> Wrapping:
    """Everything that the gateway does passes the fuse."""
    return Wrapping(
        store=lambda inner: FusedStore(inner, fuse, journal),
        model=lambda inner: FusedModel(inner, fuse),
        toolbox=lambda inner: EffectToolbox(inner, journal, fuse, hangs=hangs),
        platform=lambda inner: FusedPlatform(inner, fuse),
        files=lambda inner: FusedFiles(inner, fuse),
        slots=lambda inner: FusedSlots(inner, fuse),
    )


def _impatient(grace: float) -> type[Gateway]:
    """The gateway with a grace time in seconds that a test can wait for."""

    class ImpatientGateway(Gateway):
        async def stop(self, _grace: float = grace) -> None:
            await super().stop(grace)

    return ImpatientGateway


def main() -> None:
    """Runs until it is stopped or dies."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--point")
    parser.add_argument("--nth", type=int, default=1)
    parser.add_argument("--hang", action="store_true")
    parser.add_argument("--grace", type=float)
    parser.add_argument("--file-limit", type=int)
    options = parser.parse_args()
    if options.file_limit is not None:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_limit, hard))
    if options.grace is not None:
        up.Gateway = _impatient(options.grace)  # type: ignore[attr-defined]
    up.main(
        options.home,
        environment.read(),
        lambda running: print(running.url, flush=True),
        port=0,
        wrapping=wrapping(Fuse(options.point, options.nth), Journal(options.journal), hangs=options.hang),
    )


if __name__ == "__main__":
    main()
