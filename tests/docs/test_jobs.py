"""docs/jobs.md explains every field of a job, with examples that are right, and every bound."""

import json
from pathlib import Path

import pytest

from serai.jobs.folder import JOBS_MOST
from serai.jobs.output import OUTPUT_MOST
from serai.jobs.place import origin_keys
from serai.jobs.process import OUTPUT_MOST as SCRIPT_OUTPUT_MOST
from serai.jobs.read import FIELDS, JobReader
from serai.jobs.scan import ENTRIES_MOST, VALUES_MOST
from serai.jobs.script import SCRIPT_GRACE_S, SCRIPT_LIMIT_S
from serai.jobs.value import ITEMS_MOST
from tests.docs.page import DOCS, Row, blocks, prose, read, rows, sections

JOBS = read("jobs.md")
ROWS = rows(JOBS, "field")


def test_every_field_is_explained_and_no_other() -> None:
    assert sorted(name for row in ROWS for name in row.names) == sorted(FIELDS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.names[0])
def test_the_example_of_every_field_is_right(row: Row, tmp_path: Path) -> None:
    assert all(len(cell) > 2 for cell in row.cells[1:])
    job = {"id": "c81d40aa9f03", "schedule": "30m", "prompt": "x", row.names[0]: json.loads(row.cells[3].strip("`"))}
    assert JobReader(tmp_path, len).read(job, "jobs[0]").problems == ()


def test_every_key_of_an_origin_is_explained() -> None:
    assert [name for row in rows(JOBS, "key of origin") for name in row.names] == list(origin_keys())


def test_the_file_that_is_shown_is_right(tmp_path: Path) -> None:
    (shown,) = blocks(DOCS / "jobs.md", "json")
    for job in json.loads(shown.text)["jobs"]:
        assert JobReader(tmp_path, len).read(job, "jobs").problems == ()


def test_the_bounds_are_those_of_the_code() -> None:
    damaged, scripts = sections(JOBS)["Damaged files"], sections(JOBS)["Scripts"]
    assert f"{JOBS_MOST:,} bytes, {ENTRIES_MOST:,} jobs, or {VALUES_MOST:,} values" in damaged
    assert f"at most {ITEMS_MOST} items" in damaged
    assert f"has {SCRIPT_LIMIT_S:g} seconds" in scripts
    assert f"{SCRIPT_GRACE_S:g} seconds later" in scripts
    assert f"{SCRIPT_OUTPUT_MOST // 1000} kB are kept" in scripts
    assert f"{OUTPUT_MOST // 1000} kB are given" in prose(JOBS)
