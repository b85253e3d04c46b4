"""What an agent does by itself at its time: one entry of a `cron/jobs.json` (SPEC 9.1, 9.2)."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from serai.core.delivery import Target
from serai.core.ids import JobId

CHAT_MOST: Final = 50
"""Jobs that the people of one chat, or an agent's own tools there, may make; admins may make more."""

_DIGITS: Final = frozenset("0123456789abcdef")
_LENGTH: Final = 12
_WAKE_LONGEST: Final = 4096
_LABEL_LONGEST: Final = 60


def derived_id(*parts: str) -> JobId:
    """The id of a job that must not be made twice: the same for the same parts."""
    return JobId(blake2b("\n".join(parts).encode(errors="replace"), digest_size=_LENGTH // 2).hexdigest())


def is_job_id(text: str) -> bool:
    """Whether `text` may name a job: 12 hex digits, in lower case (SPEC 9.2)."""
    return len(text) == _LENGTH and _DIGITS.issuperset(text)


def is_skill_name(text: str) -> bool:
    """Whether `text` may name a skill: the name of a folder, and no path (SPEC 2.2)."""
    return bool(text) and not text.startswith(".") and "/" not in text and "\0" not in text


@dataclass(frozen=True, slots=True)
class Job:
    """One job as its file has it: what is intended, never how it went (SPEC 9.1).

    `schedule` is the text of SPEC 9.2, `timezone` an IANA name, None for the gateway's. `deliver` lists targets as
    they were written, None where the file says nothing. `origin` is the chat that it was made in. `repeat` is how
    many times it runs, None without end. `script` is a path inside `cron/scripts/`; with `no_agent` its output is the
    answer, and no model is asked. `context_from` are jobs of the same directory whose latest output it is given.
    `enabled_toolsets` narrows its agent's, None leaves them. `workdir` is as written; jobs with the same one run one
    after another. Unless `silent_ok`, an answer that is only silence is told as such.
    """

    id: JobId
    schedule: str
    prompt: str = ""
    name: str = ""
    timezone: str | None = None
    enabled: bool = True
    deliver: tuple[str, ...] | None = None
    origin: Target | None = None
    repeat: int | None = None
    model: str | None = None
    skills: tuple[str, ...] = ()
    script: str | None = None
    no_agent: bool = False
    context_from: tuple[JobId, ...] = ()
    enabled_toolsets: tuple[str, ...] | None = None
    workdir: str | None = None
    silent_ok: bool = True

    @property
    def title(self) -> str:
        """How people call it."""
        return self.name or self.id

    @property
    def label(self) -> str:
        """Its name, or how its prompt begins, for lists."""
        return label_of(self.name, self.prompt, self.script)


def label_of(name: str, prompt: str, script: str | None) -> str:
    """`Job.label` of a job with these."""
    lines = (name or prompt or script or "").strip().splitlines()
    first = lines[0] if lines else ""
    return first if len(first) <= _LABEL_LONGEST else f"{first[: _LABEL_LONGEST - 1].rstrip()}…"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job, as the job was when its slot was claimed: a change meanwhile is for the next one.

    `directory` is the real path of its `cron` folder, `at` the slot in seconds since the epoch, `owner` the API key
    that made the job, empty where none did.
    """

    job: Job
    directory: str
    at: float
    manual: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class JobProblem:
    """What is wrong with a jobs file: all of it, or one job (`job` is its id, or its place such as `jobs[3]`).

    `fatal` ones keep that job, or all jobs of the file, from running; the others are warnings. `field` is that of the
    job which is wrong, where it is one.
    """

    text: str
    job: str | None = None
    fatal: bool = True
    field: str | None = dataclasses.field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.job}: {self.text}" if self.job else self.text


def origin_fields(chat: Target) -> Mapping[str, str]:
    """A chat as a job's `origin` has it in the file: no agent stands there (SPEC 9.1)."""
    fields = {
        "platform": chat.platform,
        "account": chat.account,
        "chat_id": chat.chat_id,
        "thread_id": chat.thread_id,
        "chat_type": chat.chat_type,
        "user_id": chat.user_id,
    }
    return {key: value for key, value in fields.items() if value}


def wakes_agent(output: str) -> bool:
    """Whether the model is to be asked after a script that wrote this (SPEC 9.4).

    Not where the last line that is not blank is a JSON object with `"wakeAgent": false`; anything else wakes it.
    """
    *_, last = output.rstrip().rsplit("\n", 1)
    last = last.strip()
    if not last.startswith("{") or len(last) > _WAKE_LONGEST:
        return True
    try:
        found = json.loads(last)
    except (ValueError, RecursionError):
        return True
    return found.get("wakeAgent") is not False
