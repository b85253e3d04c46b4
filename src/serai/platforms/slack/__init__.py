"""Slack apps in Socket Mode (SPEC 13): the manifest."""

from typing import Final

NAME: Final = "slack"
TITLE: Final = "Slack"
SETTINGS: Final = "serai.platforms.slack.config:SlackConfig"
DRIVER: Final = "serai.platforms.slack.driver:Slack"
EXTRA: Final = "slack"
CHECK: Final = "serai.platforms.slack.check:check"
STEPS: Final = (
    "At api.slack.com/apps, create an app and turn Socket Mode on; that makes an app-level token (xapp-…).",
    "Under Event Subscriptions, turn events on and add the bot events app_mention, message.channels, message.groups, "
    "message.im and message.mpim.",
    "Under Interactivity, turn interactivity on. Under App Home, allow messages to the app.",
    "Under OAuth & Permissions, add the bot scopes app_mentions:read, channels:history, groups:history, im:history, "
    "mpim:history, chat:write, users:read, files:read and files:write; then install the app. That makes a bot token "
    "(xoxb-…).",
    "Invite the bot to the channels where it shall answer.",
)
