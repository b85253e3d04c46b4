"""`serai doctor`: everything that can be broken is broken here for real, and found (SPEC 12)."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from serai.cli.doctor import surroundings
from serai.cli.doctor.patient import Patient
from serai.cli.place import Place
from serai.config.load import load
from serai.models.weights import SMOLLM2
from tests.cli.fake_endpoint import fake_endpoint
from tests.cli.fake_gateway import PID, FakeGateway
from tests.cli.stored import store_conversation
from tests.cli.terminal import Terminal
from tests.patience import PATIENCE_S
from tests.process import bound
from tests.process.disk import small_disk

KEY = "fake-key-of-the-endpoint"
CONFIG = """\
model: {{name: m, base_url: "{url}", api_key_env: K}}
api_server: {{port: 0}}
"""


@pytest.fixture
def url() -> Iterator[str]:
    with fake_endpoint(["m", "m-other"], KEY) as found:
        yield found


@pytest.fixture
def home(serai: Terminal, url: str) -> Terminal:
    """A home in which nothing is wrong."""
    serai.home.chmod(0o700)
    serai.write(CONFIG.format(url=url))
    serai.write(f"K={KEY}\n", ".env")
    serai.write("You are main.\n", "agents/main/SOUL.md")
    return serai


Finding = dict[str, Any]


def findings(serai: Terminal, *, code: int = 1) -> list[Finding]:
    said = serai("doctor", "--json")
    assert said.code == code, said.out
    found: list[Finding] = said.document["data"]
    return [finding for finding in found if finding["level"] != "note"]


def the_one(serai: Terminal, *, code: int = 1) -> Finding:
    """The only thing that is wrong."""
    (found,) = findings(serai, code=code)
    assert found["level"] == ("serious" if code else "warning")
    assert found["mend"]
    return found


def of_a_child(serai: Terminal, *before: str, **environment: str) -> list[Finding]:
    """What a doctor finds in a process of its own."""
    variables: Mapping[str, str] = {"PATH": os.defpath, "HOME": str(serai.home.parent), **environment}
    command = [*before, "-m", "serai", "--home", str(serai.home), "doctor", "--json"]
    done = subprocess.run(
        [sys.executable, *command], env=variables, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.stderr == ""
    found: list[Finding] = json.loads(done.stdout)["data"]
    return [finding for finding in found if finding["level"] != "note"]


def test_a_healthy_home_is_told_so(home: Terminal) -> None:
    said = home("doctor")
    assert said.code == 0
    assert said.out == "note: gateway: no gateway runs for this home  ->  serai up\nNothing is wrong.\n"


def test_each_finding_is_one_line_with_what_mends_it_the_gravest_first(home: Terminal) -> None:
    home.write("K=\n", ".env")
    (home.home / "agents/main/SOUL.md").write_text("")
    home.write("def broken(:\n", "plugins/sad/plugin.py")
    home.write("agents: {ops: {}}\nplugins: {enabled: [sad]}\n" + CONFIG.format(url="http://127.0.0.1:1/v1"))
    said = home("doctor")
    assert said.code == 1
    lines = said.out.splitlines()
    assert all("  ->  " in line for line in lines)
    levels = [line.partition(":")[0] for line in lines]
    assert levels == sorted(levels, key=["serious", "warning", "note"].index)


def test_nothing_is_changed(home: Terminal) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.home.rglob("*")}
    home("doctor")
    assert {path: path.stat().st_mtime_ns for path in home.home.rglob("*")} == before


def test_no_home(serai: Terminal) -> None:
    serai.home.rmdir()
    found = the_one(serai)
    assert found["text"] == "there is no ~/home"
    assert found["mend"] == f"serai --home {serai.home} setup"
    assert not serai.home.exists()


def test_a_home_that_is_a_file(serai: Terminal) -> None:
    serai.home.rmdir()
    serai.home.write_text("")
    assert the_one(serai)["text"] == "~/home is no directory"


def test_a_home_that_cannot_be_written(home: Terminal) -> None:
    home.home.chmod(0o500)
    (found,) = of_a_child(home, "-S", str(Path(bound.__file__)))
    home.home.chmod(0o700)
    assert "cannot be written: Permission denied" in found["text"]
    assert "chown" in found["mend"]


def test_a_home_that_others_may_look_into(home: Terminal) -> None:
    home.home.chmod(0o755)
    assert the_one(home)["mend"] == f"chmod 700 {home.home}"


def test_keys_that_others_may_read(home: Terminal) -> None:
    (home.home / ".env").chmod(0o644)
    found = findings(home)[0]
    assert (found["level"], found["mend"]) == ("serious", f"chmod 600 {home.home}/.env")


def test_a_wrong_configuration(home: Terminal) -> None:
    home.write(home.config + "routse: []\n")
    found = the_one(home)
    assert "routse: unknown key (did you mean `routes`?)" in found["text"]
    assert found["mend"] == f"${{EDITOR:-vi}} +3 {home.home}/config.yaml"


def test_a_key_that_is_missing(home: Terminal) -> None:
    (home.home / ".env").unlink()
    found = the_one(home)
    assert (found["about"], found["mend"]) == ("key", f"echo 'K=...' >> {home.home}/.env")


def test_a_key_that_the_endpoint_refuses(home: Terminal) -> None:
    home.write("K=fake-key-of-someone-else\n", ".env")
    found = the_one(home)
    assert found["about"] == "key"
    assert "did not accept the key (status 401); the key is K, of agent `main`" in found["text"]
    assert "someone-else" not in found["text"]


def test_an_endpoint_that_cannot_be_reached(home: Terminal, closed_port: int) -> None:
    home.write(CONFIG.format(url=f"http://127.0.0.1:{closed_port}/v1"))
    found = the_one(home)
    assert (found["about"], "cannot be reached" in found["text"]) == ("model", True)


def test_a_model_that_the_endpoint_does_not_know(home: Terminal) -> None:
    home.write(home.config.replace("name: m", "name: m-othr"))
    assert "does not list the model `m-othr` of agent `main` (did you mean `m-other`?)" in the_one(home)["text"]


def test_no_model_at_all(home: Terminal) -> None:
    home.write("api_server: {port: 0}\n")
    found = the_one(home)
    assert (found["about"], found["mend"]) == ("model", "serai setup")


@pytest.mark.parametrize("size", [4, SMOLLM2.gguf_bytes])
def test_weights_that_are_damaged(size: int, home: Terminal) -> None:
    file = home.write("GGUF", f"models/{SMOLLM2.file}")
    os.truncate(file, size)
    found = the_one(home)
    assert ("weights are damaged" in found["text"], found["mend"]) == (True, "serai model pull")


def test_a_port_that_another_program_has(home: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        home.write(home.config.replace("port: 0", f"port: {port}"))
        found = the_one(home)
    assert f"port {port}: another program listens there" in found["text"]


def test_a_lock_file_that_was_left_behind(home: Terminal) -> None:
    home.write('{"pid": 4711, "url": "http://127.0.0.1:1", "token": "fake"}', "gateway.lock")
    said = home("doctor")
    assert (said.code, "the last one, pid 4711, has ended  ->  serai up" in said.out) == (0, True)


def test_a_gateway_that_holds_the_home_and_does_not_answer(home: Terminal) -> None:
    with FakeGateway(home.home) as gateway:
        gateway.hang_up()
        found = the_one(home)
    assert ("did not answer" in found["text"], found["mend"]) == (True, f"kill {PID} && serai up")


def test_a_gateway_that_has_an_older_configuration(home: Terminal) -> None:
    with FakeGateway(home.home) as gateway:
        gateway.answers("/health", {})
        revision = revision_of(home)
        gateway.answers("/ready", {"ready": True, "revision": revision})
        assert findings(home, code=0) == []
        home.write(home.config + "# newer\n")
        assert "an older configuration" in the_one(home, code=0)["text"]


def test_a_gateway_that_waits_to_be_started_again(home: Terminal) -> None:
    with FakeGateway(home.home) as gateway:
        gateway.answers("/health", {})
        waiting = {"problems": [], "needs_restart": ["api_server.port"]}
        gateway.answers("/ready", {"ready": True, "revision": revision_of(home), "configuration": waiting})
        found = the_one(home, code=0)
    assert "has another api_server.port than the files" in found["text"]
    assert found["mend"] == f"kill {PID} && serai up"


def test_an_agent_that_was_stopped(home: Terminal) -> None:
    assert home("agent", "stop", "main").code == 0
    said = home("doctor")
    assert (said.code, "note: agent: agent `main` is stopped  ->  serai agent start main" in said.out) == (0, True)


def revision_of(serai: Terminal) -> str:
    snapshot = load(serai.home, {}, {}, ["memory"]).snapshot
    assert snapshot is not None
    return snapshot.revision


def test_a_gateway_that_is_not_ready(home: Terminal) -> None:
    with FakeGateway(home.home) as gateway:
        gateway.answers("/health", {})
        gateway.answers("/ready", {"ready": False, "reasons": {"store": "the disk is full"}}, 503)
        assert the_one(home)["text"] == "the running gateway is not ready, store: the disk is full"


def test_accounts_that_are_not_connected(home: Terminal) -> None:
    accounts = {"chatter": "shut: the token was revoked", "chatter@work": "waiting: timed out", "web": "running"}
    with FakeGateway(home.home) as gateway:
        gateway.answers("/health", {})
        ready = {"ready": True, "revision": revision_of(home), "accounts": accounts}
        gateway.answers("/ready", ready)
        shut, waiting = findings(home)
    assert (shut["level"], shut["text"]) == ("serious", "chatter stays disconnected: the token was revoked")
    assert "serai reload" in shut["mend"]
    assert (waiting["level"], waiting["text"]) == ("warning", "chatter@work is not connected: timed out")


def test_a_database_that_is_newer(home: Terminal) -> None:
    store_conversation(home.home)
    settle_deliveries(home)
    database = sqlite3.connect(home.home / "state.db")
    database.execute("PRAGMA user_version = 4711")
    database.close()
    assert "was written by a newer Serai (version 4711, this one knows" in the_one(home)["text"]


def settle_deliveries(serai: Terminal) -> None:
    database = sqlite3.connect(serai.home / "state.db")
    with database:
        database.execute("UPDATE delivery SET state = 'sent'")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def test_a_database_that_is_damaged(home: Terminal) -> None:
    store_conversation(home.home)
    settle_deliveries(home)
    file = home.home / "state.db"
    data = bytearray(file.read_bytes())
    data[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    file.write_bytes(data)
    found = findings(home)
    assert {finding["about"] for finding in found} == {"database"}
    assert found[0]["mend"] == f"mv {file} {file}.damaged"


def test_a_database_that_is_none(home: Terminal) -> None:
    home.write("not a database, whatever its name says\n" * 30, "state.db")
    assert "file is not a database" in the_one(home)["text"]


def test_deliveries_that_are_held_or_given_up(home: Terminal) -> None:
    store_conversation(home.home)
    assert the_one(home, code=0)["text"] == "1 delivery is held, because they may have arrived"
    database = sqlite3.connect(home.home / "state.db")
    with database:
        database.execute("UPDATE delivery SET state = 'dead'")
    database.close()
    assert the_one(home, code=0)["mend"] == "serai delivery list --state dead; serai delivery retry ID"


def test_a_disk_that_is_nearly_full(tmp_path: Path, url: str) -> None:
    with small_disk(tmp_path / "disk", 40 * 2**20) as disk:
        serai = Terminal(disk.path)
        serai.write(CONFIG.format(url=url))
        serai.write(f"K={KEY}\n", ".env")
        serai.write("You are main.\n", "agents/main/SOUL.md")
        found = the_one(serai)
    assert (found["about"], found["text"].endswith("MB left")) == ("disk", True)


def test_a_machine_without_time_zones(home: Terminal) -> None:
    home.write("# no zones here: not those of an installed package either\n", "shadow/tzdata/__init__.py")
    (found,) = of_a_child(home, PYTHONTZPATH=str(home.home / "nowhere"), PYTHONPATH=str(home.home / "shadow"))
    assert (found["level"], "no data of time zones" in found["text"]) == ("warning", True)


def test_a_clock_that_is_years_behind(home: Terminal) -> None:
    (found,) = surroundings.time(Patient(Place(str(home.home)), now=86400.0))
    assert "clock is years behind" in found.text


@pytest.mark.parametrize(
    ("program", "sentence"), [("def broken(:\n", "could not be imported: SyntaxError"), (None, "there is neither")]
)
def test_a_plugin_that_cannot_be_loaded(program: str | None, sentence: str, home: Terminal) -> None:
    home.write(home.config + "plugins: {enabled: [sad]}\n")
    if program:
        home.write(program, "plugins/sad/plugin.py")
    found = the_one(home)
    assert (found["about"], sentence in found["text"]) == ("plugin", True)


def test_a_callback_that_nobody_listens_at(home: Terminal, closed_port: int) -> None:
    hook = f"{{secret_env: HOOK, callback_url: 'http://127.0.0.1:{closed_port}/in?token=fake-token', open: true}}"
    home.write(home.config + f"platforms: {{webhook: {hook}}}\n")
    home.write(f"K={KEY}\nHOOK=whsec_ZmFrZS1rZXktaG9vaw==\n", ".env")
    found = the_one(home)
    assert f"webhook: callback_url http://127.0.0.1:{closed_port}/in: " in found["text"]
    assert "fake-token" not in found["text"]


@pytest.mark.parametrize("text", [None, " \n"])
def test_an_agent_without_a_persona(text: str | None, home: Terminal) -> None:
    soul = home.home / "agents/main/SOUL.md"
    soul.unlink()
    if text is not None:
        soul.write_text(text)
    found = the_one(home, code=0)
    assert found["text"].startswith("agent `main` has no persona")
