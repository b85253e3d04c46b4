"""A look at an account's credentials and permissions; nothing is sent to anybody."""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from serai.core.error import SendFailed, SeraiError
from serai.platforms import Check, Surroundings
from serai.platforms.feishu.api import Api, path
from serai.platforms.feishu.driver import Feishu
from serai.platforms.feishu.fault import Rejected

_GRANTED: Final = 1
_IN_USE: Final = 2
_PERMISSIONS: Final = "grant it at the app's console under Permissions, and publish a version"
_NEEDED: Final = (
    (("im:message:send_as_bot", "im:message"), "it cannot send messages"),
    (("im:message.p2p_msg:readonly", "im:message.p2p_msg", "im:message"), "it does not get direct messages"),
    (("im:message.group_at_msg:readonly", "im:message.group_at_msg"), "it does not hear its mentions in groups"),
    (("im:resource",), "it can neither send nor receive files"),
    (("cardkit:card:write",), "answers cannot grow while they are written, but for 20 edits"),
    (("im:message.reactions:write_only", "im:message"), "nobody sees that it is writing"),
)


class _Scope(msgspec.Struct, frozen=True):
    scope_name: str
    grant_status: int = 0


class _Scopes(msgspec.Struct, frozen=True):
    scopes: tuple[_Scope, ...] = ()


class _ScopesReply(msgspec.Struct, frozen=True):
    data: _Scopes = _Scopes()


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """What is right and wrong with an account, in the order in which it is to be mended."""
    try:
        platform = Feishu.configured(surroundings)
        bot = await platform.bot()
    except (SeraiError, ConnectionError) as error:
        return [Check(False, str(error), "see the app's page Credentials and Basic Info")]
    found = [Check(True, f"the app id and secret are good; the bot is called {bot.app_name or bot.open_id}")]
    if bot.activate_status not in (None, _IN_USE):
        found.append(Check(False, "the bot is not in use", "publish a version of the app and have it approved"))
    return [*found, *await _scopes(platform.api)]


async def _scopes(api: Api) -> Sequence[Check]:
    """The permissions, where the app may see them."""
    try:
        reply = await api.get(path("application", "v6", "scopes"), _ScopesReply)
    except Rejected as error:
        return [Check(False, f"the permissions cannot be seen: {error}", "look at the console's page Permissions")]
    except SendFailed as error:
        return [Check(False, f"the permissions could not be asked for: {error}", "try again")]
    return list(_missing({scope.scope_name for scope in reply.data.scopes if scope.grant_status == _GRANTED}))


def _missing(granted: set[str]) -> Iterator[Check]:
    """A line for each permission that is needed: there, or missing and what for."""
    for names, effect in _NEEDED:
        if granted.isdisjoint(names):
            yield Check(False, f"the permission {names[0]} is missing: {effect}", _PERMISSIONS)
        else:
            yield Check(True, f"the permission {names[0]} is there")
