"""The places that `deliver` values mean now: configuration, home chats and what is known of chats (SPEC 9.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, AgentId
from serai.core.target import Expansion, expand, written
from serai.gateway.state import State
from serai.ports.home_chat import HomeChats


class Targets:
    """Looks values up."""

    def __init__(self, state: State, homes: HomeChats) -> None:
        self._state = state
        self._homes = homes

    async def homes(self) -> Mapping[Account, HomeChat]:
        """Every account's home chat: the one that was chosen in a chat, else that of the configuration.
        Raises StorageFailed."""
        return {**self.configured(), **await self.chosen()}

    def configured(self) -> Mapping[Account, HomeChat]:
        """The home chats of the configuration."""
        return {account: one.home_chat for account, one in self._state.accounts.items() if one.home_chat is not None}

    async def chosen(self) -> Mapping[Account, HomeChat]:
        """Those that were chosen in chats, of accounts that are there. Raises StorageFailed."""
        chosen = await self._homes.chosen()
        return {account: home for account, home in chosen.items() if self._state.account(account) is not None}

    async def expand(
        self,
        deliver: Sequence[str] | None,
        *,
        owner: AgentId | None,
        origin: Target | None = None,
        refusal: str | None = None,
    ) -> Expansion:
        """As `core.target.expand`; chats that are named by their ids alone get the type that they are known by.
        Raises StorageFailed."""
        if deliver is None and origin is None:
            return Expansion(local=True)
        accounts, homes = self._state.accounts, await self.homes()
        found = expand(deliver, owner=owner, origin=origin, accounts=accounts, homes=homes, refusal=refusal)
        return replace(found, targets=tuple([await self._typed(target, origin) for target in found.targets]))

    def written(self, target: Target) -> str:
        """The text that means this place."""
        settings = self._state.account(target.connection)
        return written(target, settings.chat_form if settings else None)

    async def _typed(self, target: Target, origin: Target | None) -> Target:
        if origin is not None and origin.place == target.place:
            return target
        known = await self._homes.chat_type(target.connection, target.chat_id, target.thread_id)
        return replace(target, chat_type=known) if known is not None else target
