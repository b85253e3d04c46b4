"""Two bots of one platform in one group, each an agent of its own: no loop, no mixed answers (SPEC 6.8).

The model tempts them: every answer calls the other bot by its name. Each bot is shown all that is said in the group,
also by the other bot, whether or not its platform would show it that.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.patience import PATIENCE_S
from tests.platforms.discord.peer import DiscordPeer
from tests.platforms.feishu.peer import FeishuPeer
from tests.platforms.telegram.peer import TelegramPeer
from tests.process.gateway import gateways
from tests.process.home import write_home
from tests.process.model import Asked, stub_model

QUIET_S = 2.0
"""For which nothing more must come. A loop would need some milliseconds for each round."""


class Group(Protocol):
    """A group with two bots, 0 and 1, and a person."""

    @property
    def accounts(self) -> Sequence[Mapping[str, Any]]:
        """What stands in config.yaml for each bot."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]: ...

    def name(self, bot: int) -> str:
        """How a bot is called in a text."""
        ...

    async def ready(self) -> None: ...

    async def say(self, text: str) -> None:
        """The person writes."""
        ...

    async def relay(self, bot: int, text: str) -> None:
        """The other bot is shown what a bot has said, where the peer does not do so by itself."""
        ...

    def said(self, bot: int) -> Sequence[str]: ...


class TelegramGroup:
    """Telegram shows bots nothing of each other; here it does."""

    def __init__(self, peer: TelegramPeer) -> None:
        self._peer = peer
        self._bots = [peer.bot(f"700000{n}:fake-token-{n}", f"bot_{n}_bot") for n in (1, 2)]
        self.accounts = [{"token_env": f"TG_{n}", "base_url": peer.url} for n in (0, 1)]
        self.secrets = {f"TG_{n}": bot.token for n, bot in enumerate(self._bots)}

    def name(self, bot: int) -> str:
        return f"@{self._bots[bot].username}"

    async def ready(self) -> None:
        await until(lambda: all(bot.is_waiting for bot in self._bots))

    async def say(self, text: str) -> None:
        message = self._message(text)
        for bot in self._bots:
            bot.offer({"message": message})

    async def relay(self, bot: int, text: str) -> None:
        author = {key: self._bots[bot].user[key] for key in ("id", "is_bot", "first_name", "username")}
        self._bots[1 - bot].offer({"message": {**self._message(text), "from": author}})

    def _message(self, text: str) -> dict[str, Any]:
        places = [(text.find(name), len(name)) for name in map(self.name, (0, 1)) if name in text]
        marks = [{"type": "mention", "offset": place, "length": length} for place, length in places]
        message: dict[str, Any] = self._peer.message(chat="-100500", text=text, entities=marks)
        return message

    def said(self, bot: int) -> Sequence[str]:
        return [posted.text for posted in self._bots[bot].posted]


class DiscordGroup:
    """Discord tells every bot of a server what is said, also by bots."""

    def __init__(self, peer: DiscordPeer) -> None:
        self._peer = peer
        tokens = [peer.token(f"Bot {n}") for n in (0, 1)]
        self._bots = [peer.bot(token) for token in tokens]
        self._person = peer.world.user("Ada", user_id="42")
        guild = peer.world.guild("Shop")
        for member in (*self._bots, self._person):
            peer.world.join(guild, member)
        self._channel = peer.world.channel(guild, "general")
        place = {"base_url": peer.base_url, "gateway_url": peer.gateway_url}
        self.accounts = [{"token_env": f"DC_{n}", **place} for n in (0, 1)]
        self.secrets = {f"DC_{n}": token for n, token in enumerate(tokens)}

    def name(self, bot: int) -> str:
        return f"<@{self._bots[bot].id}>"

    async def ready(self) -> None:
        for bot in self._bots:
            await self._peer.gateway.connected(bot)
        await asyncio.sleep(3)  # the library takes a bot's servers to be complete when none has come for 2 s

    async def say(self, text: str) -> None:
        mentioned = tuple(bot for n, bot in enumerate(self._bots) if self.name(n) in text)
        await self._peer.says(text, channel=self._channel, user=self._person, mentions=mentioned)

    async def relay(self, bot: int, text: str) -> None:
        """The peer's answers mention nobody, for the driver asks it to; this one does."""
        await self._peer.says(text, channel=self._channel, user=self._bots[bot], mentions=(self._bots[1 - bot],))

    def said(self, bot: int) -> Sequence[str]:
        return [one["content"] for one in self._peer.sent if one["author"]["id"] == self._bots[bot].id]


class FeishuGroup:
    """Feishu tells a bot of another one's message as of an app's."""

    def __init__(self, peer: FeishuPeer) -> None:
        self._peer = peer
        self._apps = [peer.app(f"cli_{n:016x}", f"fake-secret-{n}", f"Bot {n}") for n in (0, 1)]
        self.accounts = [
            {"app_id": app.app_id, "app_secret_env": f"FS_{n}", "domain": peer.url}
            for n, app in enumerate(self._apps)
        ]
        self.secrets = {f"FS_{n}": f"fake-secret-{n}" for n in (0, 1)}

    def name(self, bot: int) -> str:
        return f"@_user_{bot + 1}"

    async def ready(self) -> None:
        await until(lambda: all(any(line.is_open for line in app.state.lines) for app in self._apps))

    async def say(self, text: str) -> None:
        number = f"om_said{next(self._peer.world.numbers)}"
        for app in self._apps:
            await app.push(app.message(text, message=number, **self._group(text)))

    async def relay(self, bot: int, text: str) -> None:
        app, author = self._apps[1 - bot], self._apps[bot].state.bot_open_id
        await app.push(app.message(text, user=author, sender_type="app", **self._group(text)))

    def _group(self, text: str) -> dict[str, Any]:
        mentions = [
            {"key": self.name(n), "id": {"open_id": app.state.bot_open_id}, "name": f"Bot {n}"}
            for n, app in enumerate(self._apps)
            if self.name(n) in text
        ]
        return {"chat": "oc_group", "chat_type": "group", "mentions": mentions}

    def said(self, bot: int) -> Sequence[str]:
        return [posted.text for posted in self._peer.world.posted if posted.app_id == self._apps[bot].app_id]


@asynccontextmanager
async def telegram() -> AsyncIterator[Group]:
    async with TelegramPeer() as peer:
        yield TelegramGroup(peer)


@asynccontextmanager
async def discord() -> AsyncIterator[Group]:
    async with DiscordPeer() as peer:
        yield DiscordGroup(peer)


@asynccontextmanager
async def feishu() -> AsyncIterator[Group]:
    async with FeishuPeer() as peer:
        yield FeishuGroup(peer)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.05)


def configuration(platform: str, group: Group, model: str) -> Mapping[str, Any]:
    first, second = ({**account, "open": True} for account in group.accounts)
    return {
        "model": {"name": "m-main", "base_url": f"{model}/v1"},
        "agents": {"one": {"model": "m-one"}, "two": {"model": "m-two"}},
        "routes": [
            {"match": {"platform": platform, "account": name}, "agent": agent}
            for name, agent in (("default", "one"), ("second", "two"))
        ],
        "platforms": {platform: {**first, "accounts": {"second": second}}},
        "api_server": {"port": 0},
    }


@pytest.mark.slow
@pytest.mark.parametrize("opened", [telegram, discord, feishu], ids=lambda opened: str(opened.__name__))
async def test_two_bots_in_a_group_answer_each_for_itself(
    tmp_path: Path, opened: Callable[[], AbstractAsyncContextManager[Group]]
) -> None:
    asked: list[Asked] = []

    async with opened() as group, gateways(tmp_path) as nursery:

        async def say(one: Asked) -> str:
            asked.append(one)
            me = one.body["model"].removeprefix("m-")
            return f"{me} answers {len(asked)}; what do you think, {group.name(1 if me == 'one' else 0)}?"

        async with stub_model(say) as model:
            config = configuration(opened.__name__, group, model)
            home = write_home(tmp_path / "home", config, group.secrets)
            gateway = await nursery.start(["-m", "serai", "up"], {"SERAI_HOME": str(home)})
            await group.ready()
            for bot in (0, 1):
                await group.say(f"{group.name(bot)} how are you?")
                await until(lambda bot=bot: len(group.said(bot)) == 1)
                await group.relay(bot, f"what do you think, {group.name(1 - bot)}?")
            await asyncio.sleep(QUIET_S)
            assert [len(group.said(bot)) for bot in (0, 1)] == [1, 1], gateway.errors()[-2000:]
            await group.say(f"{group.name(0)} and {group.name(1)}, both of you!")
            await until(lambda: all(len(group.said(bot)) == 2 for bot in (0, 1)))
            await asyncio.sleep(QUIET_S)
    for bot, agent in enumerate(("one", "two")):
        assert len(group.said(bot)) == 2
        assert all(text.startswith(f"{agent} answers") for text in group.said(bot)), group.said(bot)
    assert sorted(one.body["model"] for one in asked) == ["m-one", "m-one", "m-two", "m-two"]
    for one in asked:
        other = "two" if one.body["model"] == "m-one" else "one"
        assert f"{other} answers" not in one.raw, "one agent was shown the other's conversation"
