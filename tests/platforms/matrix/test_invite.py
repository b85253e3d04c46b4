"""Whose invitations are taken (SPEC 6.7)."""

import pytest

from serai.core.snapshot import Access
from serai.platforms.matrix.invite import Invitation, is_welcome

ALICE = Invitation("!r:x", "@alice:x", direct=False)
DIRECT = Invitation("!r:x", "@alice:x", direct=True)


@pytest.mark.parametrize(
    ("access", "invited", "welcome"),
    [
        (Access(), ALICE, False),
        (Access(), DIRECT, False),
        (Access(open=True), ALICE, True),
        (Access(allow_users=frozenset({"@alice:x"})), ALICE, True),
        (Access(allow_users=frozenset({"@ALICE:x"})), ALICE, False),
        (Access(allow_users=frozenset({"alice"})), ALICE, False),
        (Access(allow_chats=frozenset({"!r:x"})), ALICE, True),
        (Access(allow_chats=frozenset({"!other:x"})), ALICE, False),
        (Access(pairing=True), ALICE, False),
        (Access(pairing=True), DIRECT, True),
    ],
)
def test_an_invitation_is_taken_from_those_who_may(access: Access, invited: Invitation, welcome: bool) -> None:
    assert is_welcome(access, invited) is welcome
