"""Which job is meant: its id or its name, or the beginning of one."""

from collections.abc import Sequence
from typing import Final

from serai.cli.cron.book import Book, Job
from serai.cli.failure import Failed
from serai.cli.place import Place

LEAST: Final = 4
"""Characters that may stand for an id, or a name."""


def find(place: Place, book: Book, word: str, agent: str | None = None) -> Job:
    """The one job that `word` means, of all agents or of one. Raises Failed where there is none, or several."""
    jobs = book.jobs(agent)
    if not jobs and agent is not None:
        place.agent(place.snapshot(), agent)
    try:
        return chosen(jobs, word)
    except Failed:
        wrong = [one for one in book.problems(agent) if one["job"] == word and one["fatal"]]
        if not wrong:
            raise
        raise Failed(f"The job `{word}` of agent `{wrong[0]['agent']}` is wrong: {wrong[0]['message']}.") from None


def chosen(jobs: Sequence[Job], word: str) -> Job:
    """As `find`, of these."""
    from serai.cli.nearest import hint

    for found in (
        [one for one in jobs if one["id"] == word],
        [one for one in jobs if one["name"] and one["name"].casefold() == word.casefold()],
        [one for one in jobs if len(word) >= LEAST and one["id"].startswith(word.lower())],
        [one for one in jobs if len(word) >= LEAST and one["name"].casefold().startswith(word.casefold())],
    ):
        if len(found) > 1:
            raise Failed(_several(word, found))
        if found:
            return found[0]
    known = [text for one in jobs for text in (one["id"], one["name"]) if text]
    raise Failed(f"There is no job `{word}`{hint(word, known)}. `serai cron list --all` shows those there are.")


def _several(word: str, jobs: Sequence[Job]) -> str:
    from serai.cli.printable import one_line

    listed = [f"  {one['id']}  {one['agent']}  {one_line(one['name'])}".rstrip() for one in jobs]
    how = "its whole id" if len({one["id"] for one in jobs}) > 1 else "--agent"
    return "\n".join([f"`{word}` may be one of {len(jobs)} jobs; say which by {how}:", *listed])
