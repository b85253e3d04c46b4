"""Scripts: their environment, their bounds, and that nothing of them is left (SPEC 9.4)."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvloop

from serai.core.ids import JobId
from serai.core.job import Job, wakes_agent
from serai.jobs.process import OUTPUT_MOST
from serai.jobs.script import PATH, ScriptRunner, script_fault
from serai.ports.jobs import ScriptResult
from tests.jobs.stage import ID, disk
from tests.patience import PATIENCE_S

JOB = Job(JobId(ID), "30m", script="a.py", no_agent=True)
LIMITS = (1, 4, 16)
Runner = Callable[..., ScriptResult]


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.Runner]:
    """Every script runs on both event loops."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        yield runner


@pytest.fixture
def run(loop: asyncio.Runner, cron: Path) -> Runner:
    def ran(
        name: str,
        text: str | None = None,
        *,
        limit_s: float = PATIENCE_S,
        grace_s: float = 0.5,
        env: Any = (),
        **more: Any,
    ) -> ScriptResult:
        if text is not None:
            write(cron, name, text)
        jobs = disk(ScriptRunner(limit_s, grace_s))
        return loop.run(jobs.run_script(cron, cron.parent, replace(JOB, script=name, **more), dict(env)))

    return ran


def write(cron: Path, name: str, text: str) -> Path:
    path = cron / "scripts" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_script_s_output_is_the_result(run: Runner) -> None:
    assert run("a.py", "print('Grüße')") == ScriptResult("Grüße\n")
    assert run("news/a.sh", "echo one; echo two >&2; echo three") == ScriptResult("one\nthree\n")
    assert run("a.bash", "[[ a == a ]] && echo yes") == ScriptResult("yes\n")


def test_any_other_script_runs_by_itself(run: Runner, cron: Path) -> None:
    write(cron, "fetch", f"#!{sys.executable}\nprint('by itself')").chmod(0o700)
    assert run("fetch") == ScriptResult("by itself\n")


def test_the_environment_is_made_from_nothing(run: Runner, cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERAI_SECRET", "s3cret")
    shown = run("a.py", "import json, os; print(json.dumps(dict(os.environ)))", env={"NEWS_KEY": "k"}).output
    found = {name: value for name, value in json.loads(shown).items() if not name.startswith("__")}
    assert found == {"PATH": PATH, "HOME": str(cron.parent.resolve()), "LANG": "C.UTF-8", "NEWS_KEY": "k"}


def test_a_script_works_in_the_workspace_or_in_its_workdir(run: Runner, cron: Path) -> None:
    assert run("a.sh", "pwd").output.strip() == str(cron.parent.resolve() / "workspace")
    (cron.parent / "workspace" / "reports").mkdir()
    assert run("a.sh", workdir="reports").output.strip() == str(cron.parent.resolve() / "workspace" / "reports")


def test_its_input_is_closed(run: Runner) -> None:
    assert run("a.py", "import sys; print(repr(sys.stdin.read()))") == ScriptResult("''\n")


def test_an_exit_code_is_a_fault_with_the_last_words(run: Runner) -> None:
    result = run("a.sh", "echo half; for i in 1 2 3 4 5 6 7; do echo line $i >&2; done; exit 3")
    assert result.output == "half\n"
    assert result.fault == "The script `a.sh` failed with exit code 3: line 3\nline 4\nline 5\nline 6\nline 7"


def test_a_signal_is_a_fault(run: Runner) -> None:
    assert run("a.sh", "kill -9 $$").fault == "The script `a.sh` was ended by signal 9."


def overdue(run: Runner, text: str, *, grace_s: float) -> tuple[int, ScriptResult]:
    """What comes of a script whose time was up when it had started, and its limit: a busy machine starts it late."""
    for limit in LIMITS:
        result = run("a.sh", text, limit_s=limit, grace_s=grace_s)
        if result.output:
            break
    return limit, result


def test_a_hanging_script_is_ended_with_all_that_it_started(run: Runner, cron: Path) -> None:
    begun = time.monotonic()
    text = "trap '' TERM; sleep 1000 & echo $! > pid; echo started; while true; do wait; done"
    limit, result = overdue(run, text, grace_s=0.5)
    assert time.monotonic() - begun < PATIENCE_S
    assert result == ScriptResult("started\n", f"The script `a.sh` took longer than {limit} s and was ended.")
    assert is_gone(int((cron.parent / "workspace" / "pid").read_text()))


def test_a_script_may_end_by_itself_when_its_time_is_up(run: Runner) -> None:
    text = "trap 'echo bye; exit 0' TERM; echo started; sleep 1000 & wait"
    limit, result = overdue(run, text, grace_s=PATIENCE_S)
    assert result == ScriptResult("started\nbye\n", f"The script `a.sh` took longer than {limit} s and was ended.")


def test_children_that_keep_the_output_open_hold_nobody(run: Runner, cron: Path) -> None:
    begun = time.monotonic()
    text = (
        ": > pids; for i in 1 2 3 4 5; do (sleep 1000 & echo $! >> pids; sleep 1000) & done\n"
        "while [ $(wc -l < pids) -lt 5 ]; do sleep 0.01; done; echo done"
    )
    assert run("a.sh", text) == ScriptResult("done\n")
    assert time.monotonic() - begun < PATIENCE_S
    pids = (cron.parent / "workspace" / "pids").read_text().split()
    assert len(pids) == 5
    assert all(is_gone(int(pid)) for pid in pids)


def test_a_child_that_left_the_group_holds_nobody(run: Runner, cron: Path) -> None:
    begun = time.monotonic()
    text = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(100)'], start_new_session=True)\n"
        "print(child.pid)"
    )
    result = run("a.py", text)
    assert time.monotonic() - begun < PATIENCE_S
    os.kill(int(result.output), 9)
    assert result.fault is None


def test_a_cancelled_script_dies_with_its_children(loop: asyncio.Runner, cron: Path) -> None:
    write(cron, "a.sh", "sleep 1000 & echo $$ $! > pids.new; mv pids.new pids; wait")
    pids = cron.parent / "workspace" / "pids"

    async def cancelled() -> None:
        running = asyncio.create_task(disk().run_script(cron, cron.parent, replace(JOB, script="a.sh"), {}))
        async with asyncio.timeout(PATIENCE_S):
            while not pids.exists():
                await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    loop.run(cancelled())
    assert all(is_gone(int(pid)) for pid in pids.read_text().split())


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("found", [True, False], ids=["it-runs", "there-is-none"])
def test_a_script_that_is_cancelled_as_it_starts_leaves_nothing(
    loop: asyncio.Runner, cron: Path, monkeypatch: pytest.MonkeyPatch, found: bool, times: int
) -> None:
    write(cron, "a.sh", "sleep 1000 & echo $$ $! > pids.new; mv pids.new pids; wait")
    pids, start = cron.parent / "workspace" / "pids", asyncio.create_subprocess_exec

    async def cancelled() -> None:
        begun, go = asyncio.Event(), asyncio.Event()

        async def slow(*command: Any, **more: Any) -> Any:
            process = await start(*command, **more) if found else None
            begun.set()
            await go.wait()
            if process is None:
                raise FileNotFoundError(2, "there is none")
            while not pids.exists():
                await asyncio.sleep(0.01)
            return process

        monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
        running = asyncio.create_task(disk().run_script(cron, cron.parent, replace(JOB, script="a.sh"), {}))
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()
            for _ in range(times):
                running.cancel()
                await asyncio.sleep(0)
            go.set()
            with pytest.raises(asyncio.CancelledError):
                await running

    loop.run(cancelled())
    assert all(is_gone(int(pid)) for pid in (pids.read_text().split() if found else ()))


def test_a_huge_output_is_cut_in_the_middle_and_blocks_nobody(run: Runner) -> None:
    text = "print('begin')\nfor _ in range(100): print('x' * 99_999)\nprint('{\"wakeAgent\": false}')"
    result = run("a.py", text)
    assert result.fault is None
    assert result.output.startswith("begin\nxxx")
    assert "bytes are left out here]" in result.output
    assert len(result.output) < OUTPUT_MOST + 100
    assert not wakes_agent(result.output)


def test_an_output_at_the_bound_is_whole(run: Runner) -> None:
    assert run("a.py", f"print('x' * {OUTPUT_MOST}, end='')").output == "x" * OUTPUT_MOST


def test_an_output_that_is_no_utf_8_is_read_all_the_same(run: Runner) -> None:
    assert run("a.py", r"import os; os.write(1, b'a\xff\x00b\xc3\xb6')") == ScriptResult("a\ufffdbö")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gone.py", "does not exist in `cron/scripts/`"),
        ("folder.py", "is no file"),
        ("plain", "is neither `.py` nor `.sh`, and may not be executed (chmod +x)"),
        ("outside.py", "leads out of `cron/scripts/`"),
        ("beside.py", "leads out of `cron/scripts/`"),
        ("../../outside.py", "leads out of `cron/scripts/`"),
        ("bare", "does not say what runs it; its first line must be one such as `#!/usr/bin/env bash`"),
        (None, "is not named by its job"),
    ],
    ids=str,
)
def test_a_script_that_cannot_run_is_a_sentence(run: Runner, cron: Path, name: Any, told: str) -> None:
    write(cron, "../../outside.py", "print(1)")
    write(cron, "../beside.py", "print(1)")
    write(cron, "plain", "echo")
    write(cron, "bare", "echo").chmod(0o700)
    (cron / "scripts" / "folder.py").mkdir()
    (cron / "scripts" / "outside.py").symlink_to(cron.parent / "outside.py")
    (cron / "scripts" / "beside.py").symlink_to("../beside.py")
    assert run(name) == ScriptResult("", f"The script `{name}` {told}.")


def test_a_script_folder_that_leads_elsewhere_is_a_sentence(run: Runner, cron: Path) -> None:
    write(cron.parent / "other", "a.py", "print(1)")
    cron.mkdir()
    (cron / "scripts").symlink_to(cron.parent / "other" / "scripts")
    assert run("a.py").fault == "The script `a.py` leads out of `cron/scripts/`."


@pytest.mark.parametrize(
    ("workdir", "told"),
    [
        ("gone", "cannot work in `gone`: there is no such folder"),
        ("file", "cannot work in `file`: there is no such folder"),
        ("out", "cannot work in `out`, which leads out of the agent's home"),
        ("../../", "cannot work in `../../`, which leads out of the agent's home"),
    ],
)
def test_a_workdir_that_cannot_be_is_a_sentence(run: Runner, cron: Path, workdir: str, told: str) -> None:
    workspace = cron.parent / "workspace"
    workspace.mkdir()
    (workspace / "file").touch()
    (workspace / "out").symlink_to(cron.parent.parent)
    assert run("a.py", "print(1)", workdir=workdir).fault == f"The script `a.py` {told}."


def test_a_program_that_cannot_be_started_is_a_fault(run: Runner, cron: Path) -> None:
    write(cron, "lost", "#!/no/such/program\n").chmod(0o700)
    write(cron, "broken", "\x7fELF\0").chmod(0o700)
    for name in ("lost", "broken"):
        assert str(run(name).fault).startswith(f"The script `{name}` ")


@pytest.mark.parametrize("env", [{"A": "x\0y"}, {"A=B": "x"}, {"": "x"}])
def test_a_variable_that_cannot_be_is_a_sentence(run: Runner, env: Any) -> None:
    assert "cannot be given the variable" in str(run("a.py", "print(1)", env=env).fault)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files can be counted on Linux only")
def test_nothing_stays_open(run: Runner) -> None:
    def count() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    run("a.py", "print(1)")
    run("a.sh", "sleep 100", limit_s=0.1)
    before = count()
    for _ in range(3):
        run("a.py")
        run("a.sh", limit_s=0.1)
        run("gone.py")
    assert count() <= before


def is_gone(pid: int) -> bool:
    """Whether a process has ended, or does within a short time: whoever inherits it may be slow to look."""
    give_up = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


def test_a_folder_that_is_a_link_works_in_the_home_of_its_job(run: Runner, cron: Path, tmp_path: Path) -> None:
    (tmp_path / "srv" / "cron" / "scripts").mkdir(parents=True)
    cron.symlink_to(tmp_path / "srv" / "cron")
    (cron.parent / "workspace" / "site").mkdir(parents=True)
    assert run("a.sh", "echo $HOME; pwd").output == f"{cron.parent}\n{cron.parent / 'workspace'}\n"
    assert run("a.sh", workdir="site").output == f"{cron.parent}\n{cron.parent / 'workspace' / 'site'}\n"
    assert not (tmp_path / "srv" / "workspace").exists()


def test_a_script_that_may_not_be_read_is_told_as_such(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(cron, "a", "#!/bin/sh\n").chmod(0o111)
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.R_OK)  # root may read everything
    assert script_fault(cron, "a") == "may not be read"


def test_a_folder_that_may_not_be_looked_into_is_told_as_such(cron: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_path: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    write(cron, "a.sh", "")
    monkeypatch.setattr(Path, "exists", refuses)
    assert script_fault(cron, "a.sh") == "cannot be looked at: Permission denied"


async def test_a_work_place_is_one_however_it_is_written(cron: Path, tmp_path: Path) -> None:
    home = cron.parent
    (home / "workspace" / "site").mkdir(parents=True)
    (home / "workspace" / "link").symlink_to("site")
    (tmp_path / "alias").symlink_to(home)
    places = {
        await disk().work_place(one, name)
        for one in (home, tmp_path / "alias")
        for name in ("site", "./site/", "link", str(one / "workspace" / "site"))
    }
    assert places == {os.path.realpath(home / "workspace" / "site")}


@pytest.mark.parametrize("name", ["a\0.py", "\ud800.py"])
def test_a_name_that_is_no_path_is_told_as_such(cron: Path, name: str) -> None:
    (cron / "scripts").mkdir(parents=True, exist_ok=True)
    assert script_fault(cron, name) == "is no path"
