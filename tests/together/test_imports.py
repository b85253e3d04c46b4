"""A gateway imports the libraries of the platforms that are configured, and no others (SPEC 13)."""

import asyncio
import re
from pathlib import Path
from typing import Final

import pytest

from serai.app.platforms import BUILT_IN
from tests.patience import PATIENCE_S
from tests.process.gateway import gateways
from tests.process.home import write_home
from tests.together.deaf import SECRETS, deaf, settings

_LINE: Final = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)
LIBRARIES: Final = {
    "discord": "discord",
    "matrix": "nio",
    "slack": "slack_sdk",
    "telegram": "telegram",
    "wecom": "cryptography",
    "yuanbao": "google.protobuf",
}
"""What each platform's extra brings; Feishu and the webhook need none."""

LATE: Final = {"cryptography"}
"""What is imported only when it is needed: for files."""

SHARED: Final = {"telegram": {"cryptography"}}
"""What a platform's library imports where it happens to be installed, although it is another's."""


RARE: Final = {
    "aiohttp.web",
    "prometheus_client",
    "pydantic",
    "rich.console",
    "serai.api.job.resource",
    "serai.api.job.run",
    "serai.api.job.schedule",
    "serai.api.operator.agents",
    "serai.api.operator.deliveries",
    "serai.api.operator.event",
    "serai.api.operator.events",
    "serai.api.operator.openapi",
    "serai.api.operator.operate",
    "serai.api.operator.routing",
    "serai.api.response.conversation",
    "serai.api.response.resource",
    "serai.api.run.resource",
    "serai.api.session.chat",
    "serai.api.session.resource",
    "serai.api.operator.usage",
    "serai.app.first_home",
    "serai.app.metrics",
    "serai.gateway.schedule.check",
    "serai.cli.doctor",
    "serai.cli.setup",
    "serai.web.assets",
    "serai.web.chats",
    "serai.web.desk",
    "serai.web.sign_in",
}
"""What many a gateway is never asked for (docs/decisions/start-time.md)."""

FOREIGN_MOST: Final = 445
"""How many modules of others an idle gateway may import: a twentieth more than at the time of writing. To divide a
module of our own costs next to nothing, so that nothing speaks against small ones."""


async def imported(folder: Path, platform: str | None) -> set[str]:
    """Every module that `serai up` has imported when it has begun to connect, with this platform alone."""
    async with deaf() as server, gateways(folder) as nursery:
        place = server.place
        config = {
            "model": {"name": "m", "base_url": f"http://{place}/v1"},
            "platforms": {platform: settings(place)[platform]} if platform else {},
            "api_server": {"port": 0},
        }
        home = write_home(folder / "home", config, SECRETS)
        gateway = await nursery.start(["-X", "importtime", "-m", "serai", "up"], {"SERAI_HOME": str(home)})
        if platform not in (None, "webhook"):
            await asyncio.wait_for(server.called.wait(), PATIENCE_S)
        await gateway.stop()
        return set(_LINE.findall(gateway.errors()))


@pytest.mark.slow
async def test_an_idle_gateway_imports_little(tmp_path: Path) -> None:
    modules = await imported(tmp_path, None)
    assert "serai.api.completion.resource" in modules
    assert RARE & modules == set()
    foreign = {module for module in modules if module.partition(".")[0] != "serai"}
    assert len(foreign) <= FOREIGN_MOST


@pytest.mark.slow
@pytest.mark.parametrize("platform", [*BUILT_IN, None])
async def test_only_the_configured_platform_is_imported(tmp_path: Path, platform: str | None) -> None:
    modules = await imported(tmp_path, platform)
    assert "serai.app.gateway" in modules
    # What is imported by its name in a string (a driver) is not told, but everything that it imports is.
    drivers = {name for name in BUILT_IN if any(one.startswith(f"serai.platforms.{name}.") for one in modules)}
    assert drivers == {platform} - {None}
    libraries = {library for library in LIBRARIES.values() if library in modules}
    own = {LIBRARIES[platform]} if platform in LIBRARIES else set()
    assert own - LATE <= libraries, "its own library is missing: the test looks for the wrong name"
    assert libraries - own <= SHARED.get(platform or "", set())
