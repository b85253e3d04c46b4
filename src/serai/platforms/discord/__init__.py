"""Discord: its manifest. Nothing heavy is imported until it is configured."""

from typing import Final

NAME: Final = "discord"
TITLE: Final = "Discord"
SETTINGS: Final = "serai.platforms.discord.config:DiscordConfig"
DRIVER: Final = "serai.platforms.discord.driver:Discord"
EXTRA: Final = "discord"
CHECK: Final = "serai.platforms.discord.check:check"
STEPS: Final = (
    "Open https://discord.com/developers/applications and make a new application.",
    "On its page Bot, press Reset Token and copy the token: it is shown once.",
    "On the same page, switch on Message Content Intent; without it the bot reads only what mentions it.",
    "On its page OAuth2, under URL Generator, choose the scope `bot` and the permissions View Channels, Send "
    "Messages, Send Messages in Threads, Attach Files and Read Message History.",
    "Open the address that the page has made, and choose a server.",
)
