"""Changing one job's piece of a file's text; the rest stays as it is to the byte (SPEC 9.1)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from serai.jobs.read import FIELDS
from serai.jobs.scan import Entry, Sheet

EMPTY: Final = '{\n  "jobs": []\n}\n'
_INDENT: Final = "    "
_SPACES: Final = " \t"


def added(sheet: Sheet, job: Mapping[str, Any]) -> str:
    """The text with one more job, at the end."""
    text = sheet.text
    if not sheet.entries:
        return f"{text[: sheet.start]}\n{_INDENT}{_rendered(job, _INDENT)}\n  {text[sheet.end :]}"
    last = sheet.entries[-1]
    indent = _indent(sheet, last)
    return f"{text[: last.end]},\n{indent}{_rendered(job, indent)}{text[last.end :]}"


def changed(sheet: Sheet, entry: Entry, job: Mapping[str, Any]) -> str:
    """The text with that job in the entry's place."""
    text = sheet.text
    return f"{text[: entry.start]}{_rendered(job, _indent(sheet, entry))}{text[entry.end :]}"


def removed(sheet: Sheet, gone: Sequence[Entry]) -> str:
    """The text without those entries."""
    text, entries = sheet.text, sheet.entries
    starts = {entry.start for entry in gone}
    left = [at for at, entry in enumerate(entries) if entry.start not in starts]
    if not left:
        return text[: sheet.start] + text[sheet.end :]
    first, *others = left
    lead = text[sheet.start : entries[0].start]
    pieces = [text[entries[first].start : entries[first].end]]
    pieces += (text[entries[at - 1].end : entries[at].end] for at in others)
    return f"{text[: sheet.start]}{lead}{''.join(pieces)}{text[entries[-1].end :]}"


def _indent(sheet: Sheet, entry: Entry) -> str:
    """The space in front of an entry that begins its line; else the usual one."""
    before = sheet.text[sheet.text.rfind("\n", 0, entry.start) + 1 : entry.start]
    return before if before and not before.strip(_SPACES) else _INDENT


def _rendered(job: Mapping[str, Any], indent: str) -> str:
    """Known fields first, in their order; what is not ASCII stays readable."""
    ordered = {key: job[key] for key in (*FIELDS, *job) if key in job}
    return json.dumps(ordered, ensure_ascii=False, indent=2).replace("\n", f"\n{indent}")
