"""Which job is meant: its id or its name, or the beginning of one."""

from collections.abc import Callable, Sequence
from typing import Final

from serai.cli.cron.book import Book, Job, Problem
from serai.cli.cron.told import title
from serai.cli.failure import Failed
from serai.cli.place import Place

LEAST: Final = 4
"""Characters that may stand for an id, or a name."""


def find(place: Place, book: Book, word: str, agent: str | None = None) -> Job:
    """The one job that `word` means, of all agents or of one. Raises Failed where there is none, or several, or where
    it may stand in a file that is damaged."""
    jobs = book.jobs(agent)
    if not jobs and agent is not None:
        place.agent(place.snapshot(), agent)
    found = matching(jobs, word)
    if not found:
        _refuse_wrong(word, grave(jobs, book.problems(agent)))
    return _the_one(found, jobs, word)


def grave(jobs: Sequence[Job], problems: Sequence[Problem]) -> Sequence[Problem]:
    """Those that keep jobs from being there at all. Why the ones that are there do not run, they tell themselves."""
    told = {job["off"] for job in jobs}
    return [one for one in problems if one["fatal"] and (one["job"] is not None or one["message"] not in told)]


def _refuse_wrong(word: str, problems: Sequence[Problem]) -> None:
    """Raises Failed where the job is there and wrong, or may be in a file that cannot be read."""
    from serai.cli.printable import one_line

    wrong = next((one for one in problems if one["job"] == word), None)
    if wrong is not None:
        raise Failed(one_line(f"The job `{word}` of agent `{wrong['agent']}` is wrong: {wrong['message']}."))
    damaged = [f"Those of agent `{one['agent']}` cannot: {one['message']}" for one in problems if one["job"] is None]
    if damaged:
        raise Failed(f"There is no job `{word}` among those that can be read. {one_line('; '.join(damaged))}")


def chosen(jobs: Sequence[Job], word: str) -> Job:
    """As `find`, of these."""
    return _the_one(matching(jobs, word), jobs, word)


def matching(jobs: Sequence[Job], word: str) -> Sequence[Job]:
    """The jobs that `word` may mean: by the id, else by what the job is called, else by the beginning of either."""
    like = _bare(word)
    known = [(job, job["id"], _bare(title(job))) for job in jobs]
    ways: list[Callable[[str, str], bool]] = [lambda id, _: id == like, lambda _, name: name == like]
    if len(like) >= LEAST:
        ways += [lambda id, _: id.startswith(like), lambda _, name: name.startswith(like)]
    found = ([job for job, id, name in known if fits(id, name)] for fits in ways)
    return next(filter(None, found), [])


def _bare(word: str) -> str:
    return word.strip("“”").casefold()


def _the_one(found: Sequence[Job], jobs: Sequence[Job], word: str) -> Job:
    from serai.cli.nearest import hint

    if len(found) > 1:
        raise Failed(_several(word, found))
    if found:
        return found[0]
    known = [text for one in jobs for text in (one["id"], title(one).strip("“”"))]
    raise Failed(f"There is no job `{word}`{hint(word, known)}. `serai cron list --all` shows those there are.")


def _several(word: str, jobs: Sequence[Job]) -> str:
    from serai.cli.printable import one_line

    listed = [one_line(f"  {one['id']}  {one['agent']}  {title(one)}") for one in jobs]
    how = "its whole id" if len({one["id"] for one in jobs}) > 1 else "--agent"
    return "\n".join([f"`{word}` may be one of {len(jobs)} jobs; say which by {how}:", *listed])
