"""The signed webhook platform (SPEC 13.1): its manifest. Nothing heavy is imported until it is configured."""

from typing import Final

NAME: Final = "webhook"
SETTINGS: Final = "serai.platforms.webhook.config:WebhookConfig"
"""Where the model of an account's own settings is."""

DRIVER: Final = "serai.platforms.webhook.driver:Webhook"
"""Where the driver is."""

TITLE: Final = "Webhook"
EXTRA: Final = ""
CHECK: Final = ""
STEPS: Final = (
    "Choose a secret, and give it to whoever sends: requests are signed by the Standard Webhooks scheme.",
)
