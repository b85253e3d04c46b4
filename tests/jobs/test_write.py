"""Jobs that are added, changed and removed; and everything around them that stays (SPEC 9.1)."""

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serai.core.error import StorageFailed
from serai.core.ids import JobId
from serai.jobs.edit import added, changed, removed
from serai.jobs.folder import JOBS_MOST
from serai.jobs.scan import ENTRIES_MOST, VALUES_MOST, scan
from serai.ports.jobs import BadJob, UnknownJob
from tests.jobs.stage import ID, OTHER, disk, fields, looked_at, put, put_text

BY_HAND = """{ "note":  "mine – keep",
  "jobs": [
      {"id": "0123456789ab",   "schedule": "30m", "prompt": "one", "promt": 1.10},
      "broken",
      {"id": "ba9876543210", "schedule": "every 2h",
       "prompt": "two", "agent_id": "ops"},
      {"id": "ba9876543210", "prompt": NaN, "a": 1, "a": 2}
  ], "version": 1e999 }"""


async def test_the_first_job_makes_folder_and_file(cron: Path) -> None:
    job = await disk().add(cron, {"schedule": "every 2h", "prompt": "Schönen Tag", "name": None, "skills": ("a",)})
    assert (cron / "jobs.json").read_text(encoding="utf-8") == (
        '{\n  "jobs": [\n    {\n      "id": "000000000001",\n      "schedule": "every 2h",\n'
        '      "prompt": "Schönen Tag",\n      "skills": [\n        "a"\n      ]\n    }\n  ]\n}\n'
    )
    assert stat.S_IMODE((cron / "jobs.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(cron.stat().st_mode) == 0o700
    assert (await looked_at(cron)).jobs == (job,)


async def test_a_new_job_leaves_everything_else_as_it_is(cron: Path) -> None:
    path = put_text(cron, BY_HAND)
    job = await disk().add(cron, {"schedule": "30m", "prompt": "three"})
    head, tail = BY_HAND.split('"a": 2}')
    text = path.read_text(encoding="utf-8")
    assert text.startswith(head + '"a": 2},\n      {\n        "id": "000000000001"')
    assert text.endswith("}" + tail)
    assert job.id == "000000000001"


async def test_a_changed_job_leaves_everything_else_as_it_is(cron: Path) -> None:
    path = put_text(cron, BY_HAND)
    job = await disk().change(cron, JobId(OTHER), {"prompt": "zwei", "enabled": False, "schedule": "30m"})
    assert (job.prompt, job.enabled) == ("zwei", False)
    old = BY_HAND[BY_HAND.index('{"id": "ba98') : BY_HAND.index(',\n      {"id": "ba9876543210", "prompt": NaN')]
    head, tail = BY_HAND.split(old)
    text = path.read_text(encoding="utf-8")
    assert (text[: len(head)], text[-len(tail) :]) == (head, tail)
    assert "agent_id" not in text[len(head) : -len(tail)]


async def test_none_takes_a_field_away_and_a_broken_job_can_be_mended(cron: Path) -> None:
    put_text(cron, BY_HAND)
    job = await disk().change(cron, JobId(ID), {"promt": None})
    assert job.prompt == "one"


async def test_a_removed_job_leaves_the_others_as_they_are(cron: Path) -> None:
    path = put_text(cron, BY_HAND)
    gone = await disk().remove(cron, JobId(ID))
    assert gone is None
    line = '{"id": "0123456789ab",   "schedule": "30m", "prompt": "one", "promt": 1.10},\n      '
    assert path.read_text(encoding="utf-8") == BY_HAND.replace(line, "")


async def test_removing_takes_every_job_of_that_id(cron: Path) -> None:
    put_text(cron, BY_HAND)
    gone = await disk().remove(cron, JobId(OTHER))
    assert gone is not None
    assert gone.prompt == "two"
    assert "ba9876543210" not in (cron / "jobs.json").read_text(encoding="utf-8")


async def test_the_last_job_leaves_an_empty_list(cron: Path) -> None:
    put(cron, fields())
    await disk().remove(cron, JobId(ID))
    assert json.loads((cron / "jobs.json").read_bytes()) == {"jobs": []}


@pytest.mark.parametrize("job", [OTHER, "", "../../x"])
async def test_a_job_that_is_not_there_is_unknown(cron: Path, job: str) -> None:
    before = put(cron, fields()).read_bytes()
    with pytest.raises(UnknownJob):
        await disk().change(cron, JobId(job), {"enabled": False})
    with pytest.raises(UnknownJob):
        await disk().remove(cron, JobId(job))
    assert (cron / "jobs.json").read_bytes() == before


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({}, ["has no schedule", "has no `prompt`"]),
        ({"schedule": "never", "prompt": "x", "promt": 1}, ["it says never", "did you mean `prompt`?"]),
        ({"schedule": "30m", "prompt": "x", "id": OTHER}, ["the id of a new job is made"]),
        ({"schedule": "30m", "prompt": "\ud800"}, ["half of a character"]),
        ({"schedule": "30m", "prompt": object()}, ["`prompt` must be text"]),
        ({"schedule": "30m", "prompt": "x", "repeat": float("nan")}, ["`repeat` must be a whole number"]),
    ],
    ids=["nothing", "several", "id", "surrogate", "object", "nan"],
)
async def test_a_job_that_cannot_be_is_refused_with_all_reasons(cron: Path, new: Any, told: list[str]) -> None:
    before = put(cron, fields()).read_bytes()
    with pytest.raises(BadJob) as refused:
        await disk().add(cron, new)
    assert [text for text in told if text not in str(refused.value)] == []
    assert len(refused.value.problems) == len(told)
    assert (cron / "jobs.json").read_bytes() == before


async def test_a_change_that_cannot_be_changes_nothing(cron: Path) -> None:
    before = put(cron, fields()).read_bytes()
    for wrong in ({"schedule": None}, {"id": OTHER}, {"prompt": ""}):
        with pytest.raises(BadJob, match=f"^{ID}: "):
            await disk().change(cron, JobId(ID), wrong)
    assert (cron / "jobs.json").read_bytes() == before


async def test_a_job_with_a_key_twice_is_not_guessed_at(cron: Path) -> None:
    put_text(cron, f'{{"jobs": [{{"id": "{ID}", "schedule": "30m", "prompt": "a", "prompt": "b"}}]}}')
    with pytest.raises(BadJob, match="has `prompt` twice"):
        await disk().change(cron, JobId(ID), {"enabled": False})


async def test_a_new_id_is_one_that_no_job_has(cron: Path) -> None:
    put(cron, fields(id="000000000001"), fields(id="000000000002"))
    assert (await disk().add(cron, {"schedule": "30m", "prompt": "x"})).id == "000000000003"


async def test_control_characters_and_an_agent_are_not_written(cron: Path) -> None:
    job = await disk().add(cron, {"schedule": "30m", "prompt": "a\r\nb\0", "agent_id": "ops"})
    assert job.prompt == "a\nb"
    folder = await looked_at(cron)
    assert folder.problems == ()


async def test_a_file_does_not_grow_beyond_what_can_be_read(cron: Path) -> None:
    before = put(cron, fields()).read_bytes()
    with pytest.raises(StorageFailed, match="would be larger"):
        await disk().add(cron, {"schedule": "30m", "prompt": "x" * JOBS_MOST})
    assert (cron / "jobs.json").read_bytes() == before


@pytest.mark.parametrize(
    ("jobs", "prompt", "told"),
    [(ENTRIES_MOST, "x", "more than 10,000 jobs"), (1, "," * VALUES_MOST, "more than 200,000 values")],
)
async def test_no_file_is_written_that_could_not_be_read(cron: Path, jobs: int, prompt: str, told: str) -> None:
    cron.mkdir(exist_ok=True)
    before = json.dumps({"jobs": [0] * jobs})
    (cron / "jobs.json").write_text(before)
    with pytest.raises(StorageFailed, match=told):
        await disk().add(cron, {"schedule": "30m", "prompt": prompt})
    assert (cron / "jobs.json").read_text() == before


@pytest.mark.parametrize("step", ["fsync", "rename"])
async def test_a_full_disk_leaves_the_old_file(cron: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = put(cron, fields()).read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(*(("os.fsync",) if step == "fsync" else (Path, "replace")), full)
    with pytest.raises(StorageFailed, match="No space left on device"):
        await disk().add(cron, {"schedule": "30m", "prompt": "x"})
    monkeypatch.undo()
    assert (cron / "jobs.json").read_bytes() == before
    assert sorted(path.name for path in cron.iterdir()) == [".lock", "jobs.json"]


NAMES = st.text("ab", min_size=1, max_size=2)
VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=4), lambda more: st.lists(more) | st.dictionaries(NAMES, more)
)
DOCUMENTS = st.builds(
    lambda before, jobs, after, indent, ascii: json.dumps(
        {
            **{f"x{key}": value for key, value in before.items()},
            "jobs": jobs,
            **{f"y{k}": v for k, v in after.items()},
        },
        indent=indent,
        ensure_ascii=ascii,
    ),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.lists(VALUES, max_size=5),
    st.dictionaries(NAMES, VALUES, max_size=2),
    st.sampled_from([None, 0, 2, "\t"]),
    st.booleans(),
)


@given(DOCUMENTS, st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_an_edited_text_means_what_the_edited_list_means(text: str, data: st.DataObject) -> None:
    sheet, whole = scan(text), json.loads(text)
    assert [entry.value for entry in sheet.entries] == whole["jobs"]
    assert json.loads(added(sheet, fields())) == {**whole, "jobs": [*whole["jobs"], fields()]}
    if not sheet.entries:
        return
    at = data.draw(st.integers(0, len(sheet.entries) - 1))
    jobs = [*whole["jobs"][:at], fields(), *whole["jobs"][at + 1 :]]
    assert json.loads(changed(sheet, sheet.entries[at], fields())) == {**whole, "jobs": jobs}
    gone = data.draw(st.lists(st.sampled_from(sheet.entries)))
    left = [entry.value for entry in sheet.entries if entry not in gone]
    assert json.loads(removed(sheet, gone)) == {**whole, "jobs": left}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
async def test_a_file_stays_as_readable_as_whoever_made_it_wanted(cron: Path, mode: int) -> None:
    put(cron, fields()).chmod(mode)
    await disk().change(cron, JobId(ID), {"name": "news"})
    assert stat.S_IMODE((cron / "jobs.json").stat().st_mode) == mode
