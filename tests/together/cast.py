"""Who talks where, and which agent has to answer by which route."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.together.feishu_line import feishu
from tests.together.line import Line, Place
from tests.together.slack_line import slack
from tests.together.telegram_line import telegram
from tests.together.webhook_line import webhook
from tests.together.wecom_line import wecom
from tests.together.yuanbao_line import yuanbao

OPENERS: Final[Sequence[Callable[[], Any]]] = (feishu, slack, telegram, webhook, wecom, yuanbao)

AGENTS: Final = ("main", "ada", "bob", "cyn", "dan", "eve", "fay", "gus", "hal", "ivy", "jim", "kim")


@dataclass(frozen=True, slots=True)
class Role:
    """Somebody in a place, and whose they are. `match` is the route that leads there; none leads to the default."""

    account: str
    place: Place
    agent: str
    match: Mapping[str, str] | None = None


def _user(platform: str, user: str) -> Mapping[str, str]:
    return {"platform": platform, "user_id": user}


def _chat(platform: str, chat: str) -> Mapping[str, str]:
    return {"platform": platform, "chat_id": chat}


CAST: Final[Sequence[Role]] = (
    # The first route that matches wins: threads stand before their chats, accounts at the end.
    Role(
        "telegram",
        Place("-100200", thread="5", group=True),
        "ada",
        {"platform": "telegram", "chat_id": "-100200", "thread_id": "5"},
    ),
    Role("telegram", Place("77", "77"), "bob", _user("telegram", "77")),
    Role("telegram", Place("-100300", group=True), "cyn", _chat("telegram", "-100300")),
    Role("telegram", Place("42"), "main"),
    Role("telegram@two", Place("42"), "dan", {"platform": "telegram", "account": "two"}),
    Role("slack", Place("C7", thread="1700000000.000001", group=True), "eve", {"thread_id": "1700000000.000001"}),
    Role("slack", Place("C7", group=True), "fay", _chat("slack", "C7")),
    Role("slack", Place("D1"), "main"),
    Role("wecom", Place("group-1", group=True), "gus", _chat("wecom", "group-1")),
    Role("wecom", Place("42"), "main"),
    Role("yuanbao", Place("group-2", group=True), "hal", _chat("yuanbao", "group-2")),
    Role("yuanbao", Place("43", "43"), "main"),
    Role("feishu", Place("oc_7", "ou_7", group=True), "ivy", _chat("feishu", "oc_7")),
    Role("feishu", Place("oc_8", "ou_8"), "main"),
    Role("feishu@two", Place("oc_8", "ou_8"), "jim", {"platform": "feishu", "account": "two"}),
    Role("webhook", Place("room", thread="t"), "kim", {"platform": "webhook", "chat_id": "room", "thread_id": "t"}),
    Role("webhook", Place("room"), "main"),
)


def home(lines: Sequence[Line], model: str) -> tuple[dict[str, Any], dict[str, str]]:
    """config.yaml and the secrets of one gateway with all lines."""
    platforms: dict[str, Any] = {}
    for line in lines:
        name, _, account = line.account.partition("@")
        settings = {**line.settings, "open": True}
        if account:
            platforms.setdefault(name, {}).setdefault("accounts", {})[account] = settings
        else:
            platforms[name] = {**settings, **platforms.get(name, {})}
    config = {
        "model": {"name": "m-main", "base_url": f"{model}/v1"},
        "agents": {agent: {"model": f"m-{agent}"} for agent in AGENTS},
        "routes": [{"match": role.match, "agent": role.agent} for role in CAST if role.match],
        "platforms": platforms,
    }
    return config, {name: value for line in lines for name, value in line.secrets.items()}
