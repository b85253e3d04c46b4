"""What runs wait for, as the API asks and answers it (SPEC 6.5, 11.5)."""

from serai.api.services import Approval, Choice
from serai.core.ids import ApprovalId, InputId
from serai.gateway.approval.approvals import Approvals, NotOpen


class RunApprovals:
    """`api.services.Approvals` over the gateway's own."""

    def __init__(self, approvals: Approvals) -> None:
        self._approvals = approvals

    async def open(self, run: InputId) -> Approval | None:
        found = await self._approvals.waiting(run)
        return Approval(found[0].id, found[0].tool, found[0].arguments) if found else None

    async def answer(self, approval: str, choice: Choice, by: str) -> bool:
        try:
            await self._approvals.answer(ApprovalId(approval), choice, by)
        except NotOpen:
            return False
        return True
