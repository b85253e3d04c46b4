"""`python -m tests.together.child HOME FACTOR ORIGIN`: a whole gateway whose time passes faster since ORIGIN."""

import sys
from pathlib import Path

from serai.app.up import Running, main
from tests.together.hurry import hurry


def _announce(running: Running) -> None:
    print(running.url, flush=True)


if __name__ == "__main__":
    hurry(float(sys.argv[2]), float(sys.argv[3]))
    main(Path(sys.argv[1]), {}, _announce, port=0)
