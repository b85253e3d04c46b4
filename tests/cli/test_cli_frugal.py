"""The gateway's code is imported at little cost, and nothing is missing afterwards."""

import subprocess
import sys
from pathlib import Path

IMPORT = """
import gc, sys
from serai.cli.frugal import gateway
assert gateway() is sys.modules["serai.app.up"]
print(gc.isenabled(), "rich" in sys.modules)
import rich.console
"""


def test_rich_is_left_out_and_can_be_had_later() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_rich_stays_where_it_was_imported_before() -> None:
    text = "import rich.console\n" + IMPORT
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False True\n", "")


def test_a_command_that_reads_the_configuration_does_not_import_rich_for_it(tmp_path: Path) -> None:
    place = f"from serai.cli.place import Place\nPlace({str(tmp_path)!r}).load()\n"
    text = f"import sys\n{place}print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("False\n", "")
