"""How live chats behave: `sessions.busy_mode` and `.merge`, `admins`, `display` (SPEC 6, 16.1)."""

from typing import get_args

from serai.config.section import Section
from serai.core.live import BusyMode, LivePolicy, MergePolicy

LIVE_KEYS = ("busy_mode", "merge", "approval_timeout_s")
"""Those that stand in `sessions`."""

_DAY = 86400.0


def read_live(root: Section, sessions: Section) -> LivePolicy:
    """What all chats have in common."""
    usual = LivePolicy()
    return LivePolicy(
        sessions.choice("busy_mode", get_args(BusyMode), usual.busy_mode),
        _merge(sessions.section("merge", ("quiet_s", "near_limit_s", "max_pieces"))),
        read_people(root, "admins"),
        root.section("display", ("agent_prefix",)).flag("agent_prefix", usual.agent_prefix),
        sessions.seconds("approval_timeout_s", usual.approval_s, most=_DAY),
    )


def _merge(section: Section) -> MergePolicy:
    usual = MergePolicy()
    return MergePolicy(
        section.seconds("quiet_s", usual.quiet_s),
        section.seconds("near_limit_s", usual.near_limit_s),
        section.number("max_pieces", usual.max_pieces, least=1, most=100),
    )


def read_people(section: Section, key: str, *, anybody: bool = False) -> frozenset[str]:
    """A list of `platform:id` and of persons named in `identities`; `*` where it may say `anybody`."""
    found = section.placed_words(key) or []
    for place, word in found:
        platform, colon, name = word.partition(":")
        if word == "*" and not anybody:
            section.report.add(place, "`*` is nobody's id")
        elif colon and not (platform.strip() and name.strip()):
            section.report.add(place, "must be platform:id, such as telegram:42, or a name from `identities`")
    return frozenset(word for _, word in found)
