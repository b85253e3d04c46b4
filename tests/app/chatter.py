"""A platform that a plugin brings: `chatter`, whose console knows one token."""

from pathlib import Path

GOOD = "fake-chatter-token-good"

PLUGIN = f"""
import asyncio

from pydantic import BaseModel, ConfigDict, Field

from serai.platforms import Check
from serai.ports.platform import Capabilities, Sent

NAME = "chatter"
TITLE = "Chatter"
SETTINGS = f"{{__name__}}:Settings"
DRIVER = f"{{__name__}}:Driver"
CHECK = f"{{__name__}}:check"
EXTRA = ""
STEPS = ("Ask the operator of the chat for a token.", "Invite the bot.")
PLATFORMS = (__name__,)


class Settings(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    token_env: str = Field(description="The bot's token")
    room: str = Field(description="The room where it begins")
    retries: int = 3


class Driver:
    capabilities = Capabilities(text_limit=500)

    def __init__(self, account):
        self.account = account

    @classmethod
    def configured(cls, surroundings):
        return cls(surroundings.settings.account)

    async def run(self, link):
        link.up("chatter bot")
        await asyncio.Event().wait()

    async def send(self, delivery):
        return Sent()


async def check(surroundings):
    token = surroundings.secrets.get(None, surroundings.settings.settings["token_env"])
    if token == {GOOD!r}:
        return [Check(True, "the token is good")]
    return [Check(False, "the token is not known", "ask for another one")]
"""


def bring(home: Path, text: str = PLUGIN, name: str = "chatter") -> None:
    """Puts the plugin into a SERAI_HOME."""
    folder = home / "plugins" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plugin.py").write_text(text, encoding="utf-8")
