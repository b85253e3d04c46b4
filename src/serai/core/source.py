"""Where a message came from (SPEC 3.2)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from serai.core.ids import DEFAULT_ACCOUNT, Account, AgentId

ChatType = Literal["dm", "group", "channel", "thread"]
CHAT_TYPES: frozenset[str] = frozenset(get_args(ChatType))


@dataclass(frozen=True, slots=True)
class Source:
    """The place and the person of one incoming message. Ids are opaque text.

    `agent_id` is the stamp: an agent that was already chosen (by the API's model, `@name` or a job's owner).
    """

    platform: str
    account: str = DEFAULT_ACCOUNT
    chat_id: str | None = None
    chat_type: ChatType = "dm"
    chat_name: str | None = None
    user_id: str | None = None
    user_id_alt: str | None = None
    user_name: str | None = None
    roles: tuple[str, ...] = ()
    thread_id: str | None = None
    topic_id: str | None = None
    guild_id: str | None = None
    parent_chat_id: str | None = None
    message_id: str | None = None
    is_bot: bool = False
    agent_id: AgentId | None = None

    @property
    def connection(self) -> Account:
        """The platform account that this came through."""
        return Account(self.platform, self.account)

    @property
    def thread(self) -> str | None:
        """`<t>` of SPEC 3.3."""
        return self.thread_id or self.topic_id

    @property
    def user(self) -> str | None:
        """`<u>` of SPEC 3.3."""
        return self.user_id_alt or self.user_id

    def mapping(self) -> Mapping[str, Any]:
        """A plain mapping of the fields, as hooks receive it (SPEC 16.2)."""
        return asdict(self)
