"""A headless Chromium, driven over its own debugging protocol."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.patience import PATIENCE_S

PROGRAM: Final = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
needs_chromium: Final = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium on this machine")

_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-port=0",
)
_KEYS: Final = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), " ": (32, " ")}


class Failed(AssertionError):
    """The browser says that something went wrong."""


class Tab:
    """One page. `errors` are what its console and its scripts complained about, `requests` all addresses it asked."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())
        self.errors: list[str] = []
        self.requests: list[str] = []

    async def prepare(self) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.do(f"{domain}.enable")
        await self.do("Runtime.runIfWaitingForDebugger")

    async def do(self, method: str, **params: Any) -> Any:
        """One command. Raises Failed."""
        number = next(self._numbers)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(PATIENCE_S):
            answer = await future
        if "error" in answer:
            raise Failed(f"{method}: {answer['error']['message']}")
        return answer["result"]

    async def open(self, url: str) -> None:
        await self.do("Page.navigate", url=url)
        await self.until("document.readyState === 'complete'")

    async def js(self, expression: str) -> Any:
        """The value of an expression, awaited where it is a promise. Raises Failed."""
        found = await self.do(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True, userGesture=True
        )
        if details := found.get("exceptionDetails"):
            raise Failed(str(details.get("exception", {}).get("description", details)))
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Waits until an expression is true. Raises Failed with what the page shows where it does not come true."""
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < end:
            with suppress(Failed):
                if await self.js(f"!!({expression})"):
                    return
            await asyncio.sleep(0.03)
        shown = await self.js("document.body.innerText")
        raise Failed(f"never true: {expression}\n{shown}\n{self.errors}")

    async def type(self, text: str) -> None:
        """Types into whatever has the focus."""
        await self.do("Input.insertText", text=text)

    async def press(self, key: str, *, shift: bool = False, control: bool = False) -> None:
        """Presses a key."""
        code, text = _KEYS.get(key, (ord(key.upper()[0]), "" if control else key))
        params: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift + 2 * control}
        if text and not control:
            params["text"] = text
        await self.do("Input.dispatchKeyEvent", type="keyDown", **params)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **params)

    async def size(self, width: int, height: int) -> None:
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    async def theme(self, scheme: str) -> None:
        """What the system prefers: `light` or `dark`."""
        await self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def screenshot(self, path: Path) -> bytes:
        shot = await self.do("Page.captureScreenshot", format="png")
        data = base64.b64decode(shot["data"])
        path.write_bytes(data)
        return data

    async def _read(self) -> None:
        async for message in self._socket:
            event = json.loads(message.data)
            if (number := event.get("id")) is not None:
                self._waiting.pop(number).set_result(event)
            elif event["method"] == "Runtime.exceptionThrown":
                self.errors.append(str(event["params"]["exceptionDetails"].get("exception", {}).get("description")))
            elif event["method"] == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
                self.errors.append(event["params"]["entry"]["text"])
            elif event["method"] == "Network.requestWillBeSent":
                self.requests.append(event["params"]["request"]["url"])

    async def close(self) -> None:
        self._reader.cancel()
        await self._socket.close()


@asynccontextmanager
async def tab(width: int = 1440, height: int = 900, scheme: str = "light") -> AsyncIterator[Tab]:
    """A fresh browser with one empty page."""
    assert PROGRAM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *_FLAGS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with aiohttp.ClientSession() as session:
                one = await _attached(session, process)
                try:
                    await one.prepare()
                    await one.size(width, height)
                    await one.theme(scheme)
                    yield one
                finally:
                    await one.close()
        finally:
            process.kill()
            await process.wait()


async def _attached(session: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> Tab:
    """The first page of a browser that is starting."""
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while b"DevTools listening on" not in (line := await process.stderr.readline()):
            assert line, "Chromium did not start"
    host = line.decode().split("ws://")[1].split("/")[0]
    async with asyncio.timeout(PATIENCE_S):
        while not (pages := await _pages(session, host)):  # it listens before it has opened its first one
            await asyncio.sleep(0.03)
    return Tab(await session.ws_connect(pages[0], max_msg_size=0))


async def _pages(session: aiohttp.ClientSession, host: str) -> list[str]:
    """Where each page is driven."""
    async with session.get(f"http://{host}/json/list") as response:
        targets = await response.json(content_type=None)
    return [target["webSocketDebuggerUrl"] for target in targets if target["type"] == "page"]
