"""What the API writes is without known secrets, and still what it was (SPEC 14)."""

import pytest

from serai.api.reply import clean_events
from serai.core.redact import Redactor

REDACTOR = Redactor(['fake "key" 1', "12345678"])


@pytest.mark.parametrize(
    ("told", "cleaned"),
    [
        (
            b'event: a\nid: 7\ndata: {"text":"it is fake \\"key\\" 1","at":12345678}\n\ndata: [DONE]\n\n',
            b'event: a\nid: 7\ndata: {"text":"it is [redacted]","at":12345678}\n\ndata: [DONE]\n\n',
        ),
    ],
)
def test_events_stay_events(told: bytes, cleaned: bytes) -> None:
    assert clean_events(REDACTOR, told) == cleaned


def test_events_without_secrets_are_left_alone() -> None:
    told = b'data: {"text":"nothing"}\n\n'
    assert clean_events(REDACTOR, told) is told
