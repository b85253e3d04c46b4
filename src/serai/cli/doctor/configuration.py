"""What config.yaml says, and what it needs: keys, personas, plugins; and whether the running gateway knows it."""

import re
from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from serai.cli.doctor.finding import Finding
from serai.cli.doctor.patient import Patient, edit
from serai.cli.given import Given
from serai.core.error import Startup

if TYPE_CHECKING:
    from serai.core.snapshot import Problem

_VARIABLE = re.compile(r"`([A-Za-z_][A-Za-z0-9_]*)` is (?:not set|blank)").match


def sound(patient: Patient) -> Iterator[Finding]:
    """Every problem; those that are only for want of a key say which."""
    problems = patient.loaded.problems
    if not problems:
        return
    lasting = {str(problem) for problem in patient.place.load(Given(patient.place.environment)).problems}
    for problem in problems:
        about = "configuration" if str(problem) in lasting else "key"
        yield Finding("serious", about, str(problem), _mend(patient, problem))


def _mend(patient: Patient, problem: "Problem") -> str:
    missing = _VARIABLE(problem.text)
    if missing:
        return f"echo '{missing[1]}=...' >> {quote(str(patient.layout.env))}"
    return edit(patient.layout.home / problem.file, problem.line)


def told(patient: Patient) -> Iterator[Finding]:
    for notice in patient.loaded.notices:
        yield Finding("warning", "configuration", notice, "serai config check")


def personas(patient: Patient) -> Iterator[Finding]:
    for profile in patient.agents():
        try:
            text = profile.soul.read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = None
        if text is None or not text.strip():
            lack = f"{patient.shown(profile.soul)} {'is missing' if text is None else 'is empty'}"
            yield Finding("warning", "persona", f"agent `{profile.id}` has no persona: {lack}", edit(profile.soul))


def plugins(patient: Patient) -> Iterator[Finding]:
    from serai.plugins.load import load_plugins

    for name in patient.snapshot.plugins if patient.snapshot else ():
        try:
            load_plugins([name], patient.layout.plugins)
        except Startup as error:
            yield Finding("serious", "plugin", str(error), edit(patient.layout.config))


def known(patient: Patient) -> Iterator[Finding]:
    """Whether the running gateway has what the files say, and has no complaint of its own."""
    ready, gateway = patient.ready, patient.gateway
    if ready is None or gateway is None:
        return
    revision = ready.get("revision")
    if revision and patient.snapshot is not None and revision != patient.snapshot.revision:
        text = "the running gateway has an older configuration than the files"
        yield Finding("warning", "gateway", text, "serai reload")
    for key in ready.get("configuration", {}).get("needs_restart", ()):
        text = f"the running gateway has another {key} than the files until it is started again"
        yield Finding("warning", "gateway", text, f"kill {gateway.pid} && serai up")
    for name, reason in ready.get("reasons", {}).items():
        yield Finding("serious", "gateway", f"the running gateway is not ready, {name}: {reason}", "serai logs")
