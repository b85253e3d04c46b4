"""Matrix, with encryption (SPEC 13): its manifest. Nothing heavy is imported until it is configured."""

from typing import Final

NAME: Final = "matrix"
TITLE: Final = "Matrix"
SETTINGS: Final = "serai.platforms.matrix.config:MatrixConfig"
DRIVER: Final = "serai.platforms.matrix.driver:Matrix"
CHECK: Final = "serai.platforms.matrix.check:check"
EXTRA: Final = "matrix"
CHAT_FORM: Final = r"[!#][^:%\s]*:(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(?::[0-9]{1,5})?"
"""A room's id, or its alias, with its server's name (Matrix specification, appendices 4.2 and 4.3)."""

STEPS: Final = (
    "Make an account for the bot on your homeserver; it should be nobody's own account.",
    "Log in once as the bot, from a fresh session that nothing else uses, and take its access token: in Element it "
    "is in Settings, Help & About, Advanced. Then close that window without logging out.",
    "The token's session (device) holds the bot's encryption keys: never use it in two places.",
    "Invite the bot to a room. It joins where the inviter is on `allow_users` or the room on `allow_chats`.",
)
