"""The signed webhook platform (SPEC 13.1): its manifest. Nothing heavy is imported until it is configured."""

from typing import Final

NAME: Final = "webhook"
SETTINGS: Final = "serai.platforms.webhook.config:WebhookConfig"
"""Where the model of an account's own settings is."""

DRIVER: Final = "serai.platforms.webhook.driver:Webhook"
"""Where the driver is."""
