"""WeCom AI bots over their long connection (SPEC 13): the manifest."""

from typing import Final

NAME: Final = "wecom"
TITLE: Final = "WeCom"
SETTINGS: Final = "serai.platforms.wecom.config:WecomConfig"
DRIVER: Final = "serai.platforms.wecom.driver:Wecom"
EXTRA: Final = "wecom"
CHECK: Final = "serai.platforms.wecom.check:check"
STEPS: Final = (
    "In the WeCom admin console, create an AI bot, choose the API mode, and in it the long connection.",
    "Copy the bot's id and its secret; they are shown there.",
    "One bot has one connection: no other program may use the same bot.",
)
