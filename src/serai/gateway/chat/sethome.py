"""`/sethome`: the chat to which is sent what is for nobody in particular (SPEC 6.4, 9.5)."""

from typing import Final

from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.gateway.delivery.targets import Targets
from serai.ports.home_chat import SetHomeChat

_OFF: Final = "off"


async def sethome(targets: Targets, here: Target, argument: str) -> tuple[str, SetHomeChat | None]:
    """What is answered to an admin, and what is done. Raises StorageFailed."""
    if argument.lower() == _OFF:
        return await _off(targets, here)
    if argument:
        return "Write /sethome to make this chat the home chat, or /sethome off to take that back.", None
    account = here.connection
    before = (await targets.homes()).get(account)
    home = HomeChat(here.chat_id, here.thread_id, here.chat_type, here.user_id)
    if before is None:
        was = "It had none before."
    elif before.target(account).place == here.place:
        was = "It was before, too."
    else:
        was = f"Before, it was {targets.written(before.target(account))}."
    return f"This chat is the home chat of {account} now. {was} /sethome off takes that back.", SetHomeChat(home)


async def _off(targets: Targets, here: Target) -> tuple[str, SetHomeChat | None]:
    """Takes back what was chosen in any chat of the account; the configuration's home chat counts again."""
    account = here.connection
    before = (await targets.chosen()).get(account)
    if before is None:
        return f"No home chat of {account} was chosen in a chat.", None
    was = f"It was {targets.written(before.target(account))}."
    back = targets.configured().get(account)
    if back is None:
        return f"{account} has no home chat any more. {was}", SetHomeChat(None)
    home = targets.written(back.target(account))
    if back.target(account).place == before.target(account).place:
        return f"The home chat of {account} is {home} as before: config.yaml names the same chat.", SetHomeChat(None)
    return f"The home chat of {account} is {home} again. {was}", SetHomeChat(None)
