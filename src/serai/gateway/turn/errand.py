"""A job's turn: what it begins with, and who hears of its end (SPEC 9.4, 9.5)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import msgspec
import structlog

from serai.agent.progress import Progress
from serai.core.delivery import Enclosure, NewDelivery, Target
from serai.core.error import SeraiError, UnknownAgent
from serai.core.event import TurnEnded
from serai.core.ids import AgentId, JobId
from serai.core.job import Job, JobRun, wakes_agent
from serai.core.message import Answer, Message, is_silence
from serai.core.profile import AgentProfile
from serai.core.turn import Claim, Step
from serai.gateway.answer.draft import Ending
from serai.gateway.delivery.histories import Histories
from serai.gateway.delivery.parcel import Parcels
from serai.gateway.delivery.targets import Targets
from serai.gateway.meter import Meter
from serai.gateway.persist import until_stored
from serai.gateway.state import State
from serai.gateway.turn.scripted import Scripted, result_of, scripted_of
from serai.ports.jobs import JobFiles
from serai.ports.store import Store

_log = structlog.get_logger("cron")

WITHHELD: Final = frozenset({"cron", "message"})
"""Toolsets that no job's run has (SPEC 9.4)."""

SILENCE: Final = "[SILENT]"
_SCRIPT_STEP: Final = 1
_NAME_MOST: Final = 1000
"""Characters of a job's name that its script is told: no system takes a variable of any length."""

_TEXT_MOST: Final = 50_000
"""Characters of a script's output, of a skill, and of another job's output, that a model is given."""


class JobFailed(SeraiError):
    """A run that cannot go on: its script failed, or something that it needs is not there."""


class Errands:
    """Runs of jobs, whoever's they are."""

    def __init__(
        self,
        state: State,
        store: Store,
        files: JobFiles,
        targets: Targets,
        histories: Histories,
        parcels: Parcels,
        meter: Meter,
    ) -> None:
        self._state = state
        self._store = store
        self._files = files
        self._targets = targets
        self._histories = histories
        self._parcels = parcels
        self._meter = meter

    async def begin(
        self, claim: Claim, run: JobRun, profile: AgentProfile, progress: Progress
    ) -> tuple[AgentProfile, Answer | None]:
        """What the run may use, and its answer where no model has to be asked; its question is put into `progress`.

        A script runs once: after a crash its recorded output counts. Raises JobFailed, Fenced, StorageFailed.
        """
        job, cron = run.job, Path(run.directory)
        script = await self._scripted(claim, run, profile, progress) if job.script else Scripted("")
        if job.no_agent or not script.wakes:
            answer = Answer(script.output.strip() if job.no_agent and script.wakes else SILENCE)
            progress.new.append(Message("assistant", answer.text))
            return profile, answer
        parts = [await self._skill(profile, name) for name in job.skills]
        parts += [await self._earlier(cron, name) for name in job.context_from]
        if job.script:
            parts.append(_framed("script", job.script, script.output))
        parts.append(job.prompt)
        first = progress.new[0]
        progress.new[0] = replace(first, text="\n\n".join(filter(None, parts)))
        return _narrowed(profile, job), None

    async def _scripted(self, claim: Claim, run: JobRun, profile: AgentProfile, progress: Progress) -> Scripted:
        """What the script did. Secrets that the gateway knows are taken out of what it wrote: from here it goes to
        models, chats, files and the log (SPEC 14)."""
        progress.step = _SCRIPT_STEP
        recorded = next((step for step in claim.steps if step.kind == "script"), None)
        script = scripted_of(recorded) if recorded is not None else await self._run_script(claim, run, profile)
        if script.fault is not None:
            raise JobFailed(script.fault)
        return script

    async def _run_script(self, claim: Claim, run: JobRun, profile: AgentProfile) -> Scripted:
        begun = Step(_SCRIPT_STEP, "script", "started", request=msgspec.json.encode(run.job.script))
        await self._store.record(claim.fence, [begun], sync=True)
        environment = {
            "SERAI_AGENT": profile.id,
            "SERAI_JOB": run.job.id,
            "SERAI_JOB_NAME": run.job.name[:_NAME_MOST],
        }
        result = await self._files.run_script(Path(run.directory), profile.home, run.job, environment)
        redactor = self._state.redactor
        fault = redactor.clean(result.fault) if result.fault is not None else None
        script = Scripted(redactor.clean(result.output), wakes_agent(result.output), fault)
        ended = replace(begun, state="done" if fault is None else "failed", result=result_of(script))
        await self._store.record(claim.fence, [ended], sync=False)
        return script

    async def _skill(self, profile: AgentProfile, name: str) -> str:
        text = await self._files.read_skill(profile.skills, name)
        if text is None:
            raise JobFailed(f"its skill `{name}` does not exist")
        return _framed("skill", name, text)

    async def _earlier(self, cron: Path, name: JobId) -> str:
        """What another job has left last; nothing where it never ran."""
        text = await self._files.read_output(cron, name)
        return _framed("output", name, text) if text else ""

    async def end(
        self, claim: Claim, run: JobRun, ended: TurnEnded, files: Sequence[Enclosure], *, told: bool
    ) -> Ending:
        """What is sent, to whom, and what joins whose history. A failure is told in one line.

        A run ends on the configuration that it began with (SPEC 2.6): what its agent has said is the agent's, though
        that may be gone by now. Only where the agent was refused, the gateway itself speaks.
        """
        if ended.answer is None and not told:
            return Ending()
        text, answered = _told(run.job, ended)
        if not text and not files:
            return Ending()
        refused = ended.fault is not None and ended.fault.code == UnknownAgent.code
        owner = None if refused else claim.agent
        origin = run.job.origin if owner else _nobodys(run.job.origin)
        expansion = await until_stored(
            lambda: self._targets.expand(run.job.deliver, owner=owner, origin=origin), "who hears of a run"
        )
        deliveries = [
            new for target in expansion.targets for new in self._deliveries(claim.agent, target, text, files)
        ]
        said = (
            await until_stored(
                lambda: self._histories.joined(claim.agent, expansion.targets, text), "what joins histories"
            )
            if answered
            else ()
        )
        problems = tuple(f"{one.value}: {one.text}" if one.value else one.text for one in expansion.problems)
        self._tell(claim.agent, run.job, problems)
        return Ending(deliveries=deliveries, said=said, problems=problems)

    def _tell(self, agent: AgentId, job: Job, problems: Sequence[str]) -> None:
        """Tells the operator of targets that mean no place."""
        if problems:
            self._meter.undelivered[agent] += len(problems)
            _log.warning("a job's answer is not delivered", agent=agent, job=job.id, name=job.name, problems=problems)

    def _deliveries(
        self, agent: AgentId, target: Target, text: str, files: Sequence[Enclosure]
    ) -> Sequence[NewDelivery]:
        """The text in pieces that the platform takes, and the files behind it."""
        prefix = f"[{agent}] " if self._state.snapshot.live.agent_prefix and target.agent_id else ""
        packed = self._parcels.files(target, files)
        whole = "\n\n".join(filter(None, [text, *packed.notes]))
        return [*(self._parcels.text(target, prefix + whole) if whole else ()), *packed.deliveries]


def opening_system(job: Job) -> str:
    """What a run's model is told besides its question."""
    text = f"This is a scheduled run of the job “{job.title}”. Nobody can be asked. Your answer is delivered for you."
    return f"{text} If there is nothing to tell, answer {SILENCE} alone." if job.silent_ok else text


def _told(job: Job, ended: TurnEnded) -> tuple[str, bool]:
    """What people are told at the end of a run, and whether it is the agent's answer."""
    if ended.answer is None:
        fault = ended.fault.text if ended.fault is not None else "nobody knows why"
        return f"The job “{job.title}” failed: {' '.join(fault.split())}", False
    text = ended.answer.text
    if text.strip() and not is_silence(text):
        return text, True
    return ("" if job.silent_ok else f"The job “{job.title}” ran and has nothing to tell."), False


def _narrowed(profile: AgentProfile, job: Job) -> AgentProfile:
    """The agent as the run may use it: never more than the agent itself may (SPEC 9.4)."""
    toolsets = profile.toolsets - WITHHELD
    if job.enabled_toolsets is not None:
        toolsets &= frozenset(job.enabled_toolsets)
    models = profile.models
    if job.model is not None and models:
        models = (replace(models[0], name=job.model), *models[1:])
    return replace(profile, toolsets=toolsets, models=models)


def _framed(kind: str, name: str, text: str) -> str:
    cut = text.strip()
    if len(cut) > _TEXT_MOST:
        cut = f"{cut[:_TEXT_MOST]}\n(The rest is left out.)"
    return f'<{kind} name="{name}">\n{cut}\n</{kind}>'


def _nobodys(origin: Target | None) -> Target | None:
    return replace(origin, agent_id=None) if origin is not None else None
