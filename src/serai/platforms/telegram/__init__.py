"""Telegram (SPEC 13): its manifest. The library is imported with the driver, and only then."""

from typing import Final

NAME: Final = "telegram"
TITLE: Final = "Telegram"
SETTINGS: Final = "serai.platforms.telegram.config:TelegramConfig"
DRIVER: Final = "serai.platforms.telegram.driver:Telegram"
EXTRA: Final = "telegram"
CHECK: Final = "serai.platforms.telegram.check:check"
STEPS: Final = (
    "In Telegram, write /newbot to @BotFather, and answer its questions; it gives you the bot's token.",
    "To let the bot read all that is said in groups: /setprivacy at @BotFather, the bot, Disable; then take it out "
    "of its groups and add it again. Without that it sees commands, mentions and replies to it.",
    "Write /start to the bot; one that nobody has written to cannot begin a conversation.",
)
