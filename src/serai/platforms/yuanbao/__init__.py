"""Yuanbao bots over their long connection (SPEC 13): the manifest."""

from typing import Final

NAME: Final = "yuanbao"
TITLE: Final = "Yuanbao"
SETTINGS: Final = "serai.platforms.yuanbao.config:YuanbaoConfig"
DRIVER: Final = "serai.platforms.yuanbao.driver:Yuanbao"
EXTRA: Final = "yuanbao"
CHECK: Final = "serai.platforms.yuanbao.check:check"
STEPS: Final = (
    "In the Yuanbao app, create a bot of your own; it shows an app key and an app secret.",
    "One bot has one connection: no other program may use the same bot.",
)
