"""The home chat of an account: where what is for nobody in particular is sent (SPEC 9.5, 16.1)."""

from dataclasses import dataclass

from serai.core.delivery import Target
from serai.core.ids import Account


@dataclass(frozen=True, slots=True)
class HomeChat:
    """A chat of an account, and what is known of it. `chat_type` is a guess where only its id was written down."""

    chat_id: str
    thread_id: str | None = None
    chat_type: str = "dm"
    user_id: str | None = None

    def target(self, account: Account) -> Target:
        """The place, of no agent yet."""
        return Target(
            account.platform,
            self.chat_id,
            account.name,
            self.thread_id,
            chat_type=self.chat_type,
            user_id=self.user_id,
        )
