"""Twenty agents, everything that is theirs alone marked with words that nobody else has."""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.process.home import write_env, write_home

HOOK_SECRET: Final = "whsec_ZmFrZS1ob29rLXNlY3JldC0wMTIzNDU2Nzg5"
TEAM_KEY: Final = "fake-key-of-the-team"

_WORD: Final = re.compile(r"(?:soul|key|model|caller|ask|mem|file)-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Player:
    """One agent. `soul`, `key`, `model` and `caller` (an API key for this agent alone) are canaries."""

    id: str
    home: Path
    soul: str
    key: str
    model: str
    caller: str

    @property
    def rooms(self) -> Sequence[str]:
        return [f"room-{self.id}-0", f"room-{self.id}-1"]

    @property
    def desk(self) -> str:
        """The chat of the API that is routed to this agent."""
        return f"desk-{self.id}"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `conversation` names those questions that may be seen together."""

    word: str
    player: Player
    conversation: str

    @property
    def memory(self) -> str:
        """What the agent keeps where the question is to keep something."""
        return self.word.replace("ask", "mem")

    @property
    def file(self) -> str:
        return self.word.replace("ask", "file")

    @property
    def answer(self) -> str:
        return f"{self.word} by {self.player.model}"


@dataclass(slots=True)
class Cast:
    """All agents, and to whom each marked word belongs."""

    players: Sequence[Player]
    owners: dict[str, Player] = field(default_factory=dict)
    asks: dict[str, Ask] = field(default_factory=dict)

    def ask(self, player: Player, conversation: str | None = None) -> Ask:
        """A new question; in a conversation of its own where none is named."""
        word = _marked("ask")
        made = Ask(word, player, conversation or word)
        self.asks[word] = made
        self.owners.update(dict.fromkeys((made.word, made.memory, made.file), player))
        return made

    def strangers(self, text: str, player: Player) -> list[str]:
        """The marked words in `text` that belong to another agent, or to nobody."""
        return [word for word in words(text) if self.owners.get(word) is not player]


def words(text: str) -> Iterator[str]:
    """Every marked word."""
    return (found.group() for found in _WORD.finditer(text))


def _marked(kind: str) -> str:
    return f"{kind}-{secrets.token_hex(8)}"


def make_cast(folder: Path, count: int) -> Cast:
    """Agents with homes in `folder/home`, every fourth one's elsewhere."""
    players = []
    for number in range(count):
        name = f"a{number:02}"
        home = folder / "elsewhere" / name if number % 4 == 3 else folder / "home" / "agents" / name
        players.append(Player(name, home, *map(_marked, ("soul", "key", "model", "caller"))))
    cast = Cast(players)
    for one in players:
        cast.owners.update(dict.fromkeys((one.soul, one.key, one.model, one.caller), one))
    return cast


def make_home(cast: Cast, folder: Path, model: str, callback: str) -> Path:
    """Writes the gateway's home and every agent's. Even agents have their key in their own `.env`, all under one
    name; odd ones in the gateway's."""
    agents, routes, secrets_of_gateway = {}, [], {"HOOK_SECRET": HOOK_SECRET, "TEAM_KEY": TEAM_KEY}
    keys: list[dict[str, object]] = [{"name": "team", "key_env": "TEAM_KEY", "agents": "*"}]
    for number, one in enumerate(cast.players):
        name = "MODEL_KEY" if number % 2 == 0 else f"MODEL_KEY_{one.id.upper()}"
        settings = {"model": one.model, "base_url": f"{model}/{one.id}/v1", "api_key_env": name}
        agents[one.id] = settings if number % 4 != 3 else {**settings, "home_dir": str(one.home)}
        routes.append({"match": {"platform": "webhook", "chat_id": one.rooms}, "agent": one.id})
        routes.append({"match": {"platform": "api_server", "chat_id": one.desk}, "agent": one.id})
        caller = f"CALLER_{one.id.upper()}"
        keys.append({"name": one.id, "key_env": caller, "agents": [one.id]})
        secrets_of_gateway[caller] = one.caller
        write_env(one.home / ".env", {name: one.key} if number % 2 == 0 else {})
        secrets_of_gateway.update({name: one.key} if number % 2 else {})
        (one.home / "SOUL.md").write_text(f"You are {one.id}. Your sign is {one.soul}.\n")
    config = {
        "agents": agents,
        "default_agent": cast.players[0].id,
        "routes": routes,
        "platforms": {
            "webhook": {"secret_env": "HOOK_SECRET", "callback_url": callback, "open": True, "merge": "off"}
        },
        "sessions": {"busy_mode": "queue"},
        "api_server": {"keys": keys},
    }
    return write_home(folder / "home", config, secrets_of_gateway)
