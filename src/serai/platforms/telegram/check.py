"""A look at a bot's token and rights, for `setup` and `doctor`. Sends nothing to anybody."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from telegram import User
from telegram.error import InvalidToken, TelegramError

from serai.platforms import Check, Surroundings
from serai.platforms.telegram.client import Client
from serai.platforms.telegram.failure import reason


async def check(surroundings: Surroundings) -> Sequence[Check]:
    """What Telegram tells about the account: whose token it is, where messages go, what the bot sees in groups.

    Raises SecretMissing.
    """
    own = surroundings.settings.settings
    token = surroundings.secrets.get(None, str(own["token_env"])).strip()
    if not token:
        return [Check(False, "the bot's token is blank", f"put the token from @BotFather into `{own['token_env']}`")]
    client = Client(token, str(own["base_url"]), surroundings.session)
    try:
        user = await client.get_me()
        webhook = (await client.get_webhook_info()).url
    except InvalidToken:
        return [
            Check(False, "Telegram refuses the bot's token", "ask @BotFather for it: /mybots, the bot, API Token")
        ]
    except TelegramError as error:
        return [Check(False, reason(error), f"is `{own['base_url']}` reachable from here?")]
    return [
        Check(True, f"logged in as @{user.username}"),
        _webhook(webhook),
        _privacy(user, surroundings.settings.require_mention),
        *_groups(user),
    ]


def _webhook(address: str) -> Check:
    if not address:
        return Check(True, "no webhook is set, so messages can be polled")
    host = urlsplit(address).hostname or "?"
    text = f"a webhook is set: Telegram sends this bot's messages to {host}"
    return Check(False, text, "remove it (deleteWebhook of the Bot API), or use a bot of its own here")


def _privacy(user: User, require_mention: bool) -> Check:
    """Privacy mode hides most of a group's talk. That fits as long as the bot answers only what is said to it."""
    if user.can_read_all_group_messages:
        return Check(True, "privacy mode is off: the bot reads all messages of its groups")
    text = "privacy mode is on: in groups the bot reads commands, mentions and replies to it"
    mend = "/setprivacy at @BotFather, Disable; then take the bot out of its groups and add it again"
    return Check(require_mention, text, "" if require_mention else mend)


def _groups(user: User) -> list[Check]:
    if user.can_join_groups is not False:
        return []
    return [Check(True, "the bot cannot be added to groups (/setjoingroups at @BotFather allows it)")]
