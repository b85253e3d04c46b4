"""What runs leave in `output/<job>/` (SPEC 9.5)."""

import stat
from pathlib import Path

import pytest

from serai.core.error import StorageFailed
from serai.core.ids import JobId
from serai.jobs.output import OUTPUT_MOST
from tests.jobs.stage import ID, OTHER, disk

JOB = JobId(ID)


async def test_an_output_is_kept_for_its_owner_alone(cron: Path) -> None:
    path = await disk().write_output(cron, JOB, "2026-11-26T07-00-00Z.md", "Guten Morgen\n")
    assert path == cron.resolve() / "output" / ID / "2026-11-26T07-00-00Z.md"
    assert path.read_text(encoding="utf-8") == "Guten Morgen\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}


async def test_the_same_output_again_is_no_error(cron: Path) -> None:
    for _ in range(2):
        path = await disk().write_output(cron, JOB, "a.md", "x")
    assert [one.name for one in path.parent.iterdir()] == ["a.md"]


async def test_the_latest_output_is_the_last_by_name(cron: Path) -> None:
    for name in ("2026-02.md", "2026-10.md", "2025-12.md"):
        await disk().write_output(cron, JOB, name, name)
    (cron / "output" / ID / ".zzz.tmp").write_text("half")
    (cron / "output" / ID / "zzz").mkdir()
    assert await disk().read_output(cron, JOB) == "2026-10.md"
    assert await disk().read_output(cron, JOB, "2026-02.md") == "2026-02.md"


async def test_where_nothing_was_left_there_is_nothing(cron: Path) -> None:
    assert await disk().read_output(cron, JOB) is None
    await disk().write_output(cron, JOB, "a.md", "x")
    assert await disk().read_output(cron, JOB, "b.md") is None
    assert await disk().read_output(cron, JobId(OTHER)) is None


async def test_a_long_output_is_cut_when_it_is_read_and_not_when_it_is_kept(cron: Path) -> None:
    path = await disk().write_output(cron, JOB, "a.md", "ö" * OUTPUT_MOST)
    assert path.stat().st_size == 2 * OUTPUT_MOST
    text = await disk().read_output(cron, JOB)
    assert text is not None
    assert text.count("ö") == OUTPUT_MOST // 2
    assert text.endswith("[The rest is left out: the text is longer than 200 kB.]")


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", ".hidden", "a\0", "ä", "x" * 300, "/etc/x"])
async def test_an_unsafe_name_is_refused(cron: Path, name: str) -> None:
    with pytest.raises(ValueError, match="safe name"):
        await disk().write_output(cron, JOB, name, "x")
    with pytest.raises(ValueError, match="safe name"):
        await disk().read_output(cron, JOB, name)
    with pytest.raises(ValueError, match="no id"):
        await disk().write_output(cron, JobId(name), "a.md", "x")


@pytest.mark.parametrize("linked", ["output", f"output/{ID}"])
async def test_an_output_folder_that_leads_elsewhere_is_neither_written_nor_read(
    cron: Path, tmp_path: Path, linked: str
) -> None:
    other = tmp_path / "other"
    (other / ID).mkdir(parents=True)
    (other / "a.md").write_text("secret")
    (other / ID / "a.md").write_text("secret")
    (cron / linked).parent.mkdir(parents=True)
    (cron / linked).symlink_to(other)
    with pytest.raises(StorageFailed, match="leads out of"):
        await disk().write_output(cron, JOB, "b.md", "x")
    assert await disk().read_output(cron, JOB) is None
    assert not list(other.rglob("b.md"))


async def test_no_folder_is_made_where_an_output_folder_leads_elsewhere(cron: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    cron.mkdir()
    (cron / "output").symlink_to(tmp_path / "other")
    with pytest.raises(StorageFailed, match="leads out of"):
        await disk().write_output(cron, JOB, "b.md", "x")
    assert not list((tmp_path / "other").iterdir())


async def test_an_output_that_is_a_link_is_not_read(cron: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    path = await disk().write_output(cron, JOB, "a.md", "x")
    (path.parent / "b.md").symlink_to(tmp_path / "secret")
    assert await disk().read_output(cron, JOB) == "x"
    assert await disk().read_output(cron, JOB, "b.md") is None


async def test_a_disk_that_takes_nothing_is_told_about(cron: Path) -> None:
    cron.mkdir()
    (cron / "output").write_text("in the way")
    with pytest.raises(StorageFailed):
        await disk().write_output(cron, JOB, "a.md", "x")


@pytest.mark.parametrize("later", ["[SILENT]\n", "(The run failed: it was late)\n", "(The run failed: no)\n\nhalf\n"])
async def test_the_latest_output_is_a_result_and_no_silence_nor_failure(cron: Path, later: str) -> None:
    await disk().write_output(cron, JOB, "2026-01.md", "old")
    await disk().write_output(cron, JOB, "2026-02.md", "found")
    await disk().write_output(cron, JOB, "2026-03.md", later)
    assert await disk().read_output(cron, JOB) == "found"
    assert await disk().read_output(cron, JOB, "2026-03.md") == later


async def test_a_home_that_was_deleted_is_not_made_again_by_an_output(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        await disk().write_output(tmp_path / "gone" / "cron", JOB, "a.md", "x")
    assert not list(tmp_path.iterdir())
