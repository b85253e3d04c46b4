"""Feishu and Lark (its international edition): the platform's manifest. Nothing heavy is imported until it is
configured, and no library then: connection and calls are our own, for the vendor's SDKs have one event loop for all
bots of a process."""

from typing import Final

NAME: Final = "feishu"
TITLE: Final = "Feishu / Lark"
SETTINGS: Final = "serai.platforms.feishu.config:FeishuConfig"
DRIVER: Final = "serai.platforms.feishu.driver:Feishu"
EXTRA: Final = ""
CHECK: Final = "serai.platforms.feishu.check:check"
STEPS: Final = (
    "Open https://open.feishu.cn/app (Lark: https://open.larksuite.com/app) and create a custom app.",
    "Under Add Features, add the Bot.",
    "Under Permissions, grant im:message:send_as_bot, im:message.p2p_msg:readonly, im:message.group_at_msg:readonly, "
    "im:resource, im:message.reactions:write_only and cardkit:card:write; better also im:message:readonly, "
    "im:chat:readonly and contact:user.base:readonly.",
    "Under Events and Callbacks, choose the long connection for both (the app must be running for the page to save "
    "it), and add the events im.message.receive_v1 and im.message.recalled_v1 and the callback card.action.trigger.",
    "Create a version, and have it published by an administrator.",
    "Copy App ID and App Secret from Credentials and Basic Info.",
)
