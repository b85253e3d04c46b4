"""Trying an account's credentials: the platform is asked what it thinks of them (`serai setup`, `serai doctor`)."""

import asyncio
from collections.abc import Sequence
from typing import Final

from serai.app.platforms import Manifests, imported
from serai.app.system import SystemClock, SystemEntropy
from serai.config.layout import Layout
from serai.core.error import SeraiError
from serai.core.snapshot import AccountSettings, Snapshot
from serai.models.session import make_session
from serai.platforms import Check, Surroundings
from serai.ports.secrets import Secrets

_SECONDS: Final = 20.0


async def tried(layout: Layout, snapshot: Snapshot, secrets: Secrets, settings: AccountSettings) -> Sequence[Check]:
    """What a look at the account has shown; nothing where its platform has nothing to look at. Never raises."""
    manifest = Manifests(layout.plugins, snapshot.plugins)[settings.account.platform]
    try:
        check = imported(manifest, manifest.CHECK) if manifest.CHECK else None
        imported(manifest, manifest.DRIVER)
        if check is None:
            return ()
        async with make_session() as session, asyncio.timeout(_SECONDS):
            folder = layout.account(*settings.account)
            around = Surroundings(settings, secrets, session, SystemClock(), SystemEntropy(), folder)
            shown: Sequence[Check] = await check(around)
    except SeraiError as error:
        text, _, mend = str(error).partition(": pip install ")
        return [Check(False, text, f"pip install {mend}" if mend else "")]
    except (TimeoutError, OSError) as error:
        return [Check(False, f"the platform cannot be reached: {error or type(error).__name__}")]
    return shown
