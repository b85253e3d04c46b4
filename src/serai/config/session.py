"""The sections `sessions` and `identities` (SPEC 3.3, 3.5, 3.6)."""

from collections.abc import Mapping
from typing import Final, get_args

from serai.config.live import LIVE_KEYS, read_live
from serai.config.report import shown
from serai.config.section import Section
from serai.core.lane import DmScope, LanePolicy
from serai.core.live import LivePolicy
from serai.core.reset import ResetMode, ResetPolicy

_KEYS: Final = ("group_sessions_per_user", "thread_sessions_per_user", "dm_scope", "reset", *LIVE_KEYS)
_RESET_KEYS: Final = ("mode", "idle_minutes", "daily_hour")


def read_sessions(root: Section) -> tuple[LanePolicy, ResetPolicy, LivePolicy]:
    """How chats are cut into conversations, when those start afresh, and how they behave."""
    section = root.section("sessions", _KEYS)
    usual = LanePolicy()
    lanes = LanePolicy(
        section.flag("group_sessions_per_user", usual.group_sessions_per_user),
        section.flag("thread_sessions_per_user", usual.thread_sessions_per_user),
        section.choice("dm_scope", get_args(DmScope), usual.dm_scope),
        _identities(root.section("identities")),
    )
    return lanes, _reset(section.section("reset", _RESET_KEYS)), read_live(root, section)


def _reset(section: Section) -> ResetPolicy:
    usual = ResetPolicy()
    return ResetPolicy(
        section.choice("mode", get_args(ResetMode), usual.mode),
        section.number("idle_minutes", usual.idle_minutes),
        section.number("daily_hour", usual.daily_hour, least=0, most=23),
    )


def _identities(section: Section) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for person in section:
        for place, word in section.placed_words(person) or ():
            platform, colon, user = word.partition(":")
            if not (platform.strip() and colon and user.strip()):
                section.report.add(place, "must be a platform and a user's id, such as telegram:42")
            elif found.setdefault(word, person) != person:
                section.report.add(place, f"{shown(word)} is {shown(found[word])} already")
    return found
