"""Many conversations with many agents at once, and what each side saw of them."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from random import Random

from tests.isolation.cast import Ask, Cast, Player, words
from tests.process.caller import Answer, Caller
from tests.process.model import Asked, Reply, Wish

_KEEP = "keep"


class Recorder:
    """The model of all agents, each at its own path. It writes down every request; what it says names the question
    and the model that was asked for. To a question with the word `keep` it first uses two tools."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.asked: list[Asked] = []

    async def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        ask = self.ask_of(asked)
        if _KEEP in asked.user_text and len(asked.since_user) == 1:
            kept = Wish("memory_add", {"target": "memory", "text": f"The sign is {ask.memory}."})
            return (kept, Wish("file_write", {"path": f"signs/{ask.word}.txt", "text": ask.file}))
        return f"{ask.word} by {asked.body['model']}"

    def ask_of(self, asked: Asked) -> Ask:
        return self._cast.asks[next(words(asked.user_text))]

    def player_of(self, asked: Asked) -> Player:
        """Whose endpoint was called."""
        name = asked.path.split("/")[1]
        return next(one for one in self._cast.players if one.id == name)


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer over the API, and the question to it."""

    ask: Ask
    answer: Answer


class Play:
    """Puts questions through every entrance. `chance` decides who asks when."""

    def __init__(self, cast: Cast, caller: Caller, chance: Random, at_once: int = 60) -> None:
        self.heard: list[Heard] = []
        self.posted: list[Ask] = []
        self._cast = cast
        self._caller = caller
        self._chance = chance
        self._places = asyncio.Semaphore(at_once)
        self._rooms: Counter[str] = Counter()

    async def act(self, each: int, word: str = "tell") -> None:
        """`each` questions to every agent, all agents at once: a third by chats, the others by the API."""
        scenes: list[Awaitable[None]] = []
        for player in self._cast.players:
            posts = each // 3
            for room, count in zip(player.rooms, (posts // 2, posts - posts // 2), strict=True):
                scenes.append(self._chat(player, room, count, word))
            named = max(1, each // 8)
            scenes.append(self._session(player, named, word))
            scenes += [self._call(player, number, word) for number in range(each - posts - named)]
        self._chance.shuffle(scenes)
        await asyncio.gather(*scenes)

    async def _chat(self, player: Player, room: str, count: int, word: str) -> None:
        for _ in range(count):
            await asyncio.sleep(self._chance.uniform(0.0, 0.05))
            ask = self._cast.ask(player, room)
            self._rooms[room] += 1
            message = {"chat_id": room, "user_id": "alice", "message_id": f"{room}-{self._rooms[room]}"}
            answer = await self._caller.post({**message, "text": f"{word} {ask.word}"})
            assert answer.status == 202, answer
            self.posted.append(ask)

    async def _call(self, player: Player, number: int, word: str) -> None:
        """By the agent's name, by its name with the key that is for it alone, or by its route; every other one
        streamed."""
        ask = self._cast.ask(player)
        how = ({"model": player.id}, {"model": player.id, "key": player.caller}, {"X_Hermes_Chat_Id": player.desk})
        async with self._places:
            self._hear(ask, await self._caller.ask(f"{word} {ask.word}", stream=number % 2 == 0, **how[number % 3]))

    async def _session(self, player: Player, count: int, word: str) -> None:
        name = f"session-of-{player.id}"
        for _ in range(count):
            ask = self._cast.ask(player, name)
            async with self._places:
                text = f"{word} {ask.word}"
                self._hear(ask, await self._caller.ask(text, model=player.id, X_Hermes_Session_Id=name))

    def _hear(self, ask: Ask, answer: Answer) -> None:
        assert answer.status == 200, answer
        self.heard.append(Heard(ask, answer))


def asks_in(requests: Sequence[Asked], cast: Cast) -> Counter[str]:
    """How often each question was the one that was asked."""
    return Counter(next(words(asked.user_text)) for asked in requests)
