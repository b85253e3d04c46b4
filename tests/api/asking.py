"""Approvals where nobody is asked for any."""

from serai.api.services import Approval, Choice
from serai.core.ids import InputId


class NoApprovals:
    """`api.services.Approvals` of a gateway whose tools ask nobody."""

    async def open(self, _run: InputId) -> Approval | None:
        return None

    async def answer(self, _approval: str, _choice: Choice, _by: str) -> bool:
        return False
