"""IRC for Serai: the plugin, and the manifest of its platform (`serai.platforms` says what stands in one)."""

from typing import Final

PLATFORMS: Final = (__name__,)
"""What makes a plugin one that brings platforms: the modules of their manifests."""

NAME: Final = "irc"
TITLE: Final = "IRC"
SETTINGS: Final = "serai_irc.config:IrcConfig"
DRIVER: Final = "serai_irc.driver:Irc"
EXTRA: Final = ""
CHECK: Final = "serai_irc.check:check"
STEPS: Final = (
    "Choose a nick for the bot that nobody has; register it with the network's services where there are any.",
    "Ask whether bots are welcome: some channels want none, and some networks want a bot to be marked as one.",
    "Decide how people are known: `nick` where every nick is protected, `account` where the network has services "
    "and tells who is logged in to them, else `host`.",
)
