"""The `platforms` section: accounts, who may talk through them, and their secrets (SPEC 6.7, 13, 14, 16.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from serai.config.platform_key import SECRET_SUFFIX, own_keys, read_own
from serai.config.report import Place
from serai.config.secret import Mention
from serai.config.section import Section
from serai.config.value import is_placeholder
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, is_agent_id
from serai.core.place import MalformedPlace, read_place
from serai.core.snapshot import Access

if TYPE_CHECKING:
    from pydantic import BaseModel

_ACCESS_KEYS: Final = (
    "allow_users",
    "allow_chats",
    "open",
    "pairing",
    "require_mention",
    "merge",
    "stream",
    "file_limit_mb",
    "home_chat",
)
_ACCOUNTS: Final = "accounts"


@dataclass(frozen=True, slots=True)
class AccountSection:
    """One account as the file has it. `settings` are the platform's own keys, validated; empty where they failed."""

    account: Account
    place: Place
    access: Access
    settings: Mapping[str, object]
    secrets: tuple[Mention, ...]
    require_mention: bool
    merge: bool
    stream: bool
    file_limit: int
    home_chat: HomeChat | None
    chat_form: str | None


@runtime_checkable
class Extensible(Protocol):
    """Platforms to which plugins can add."""

    def having(self, plugins: Sequence[str]) -> "Mapping[str, type[BaseModel]]":
        """The same, with the platforms of the enabled plugins."""

    def why_not(self, name: str) -> str:
        """What plugins have to do with there being no platform of that name; "" for nothing."""

    def chat_form(self, name: str) -> str | None:
        """What the platform's chat ids look like where they hold colons (`serai.core.place`)."""


def read_accounts(root: Section, platforms: "Mapping[str, type[BaseModel]]") -> dict[Account, AccountSection]:
    """All accounts. An unknown platform is the gateway's problem, what is wrong in an account that account's."""
    section = root.section("platforms")
    found: dict[Account, AccountSection] = {}
    for name in section:
        if name not in platforms:
            why = platforms.why_not(name) if isinstance(platforms, Extensible) else ""
            text = f"unknown platform: {why}" if why else "unknown platform"
            section.report.unknown(section.place_of(name), text, name, platforms)
            continue
        form = platforms.chat_form(name) if isinstance(platforms, Extensible) else None
        for one in _platform(section, name, platforms[name], form):
            if one.account in found:
                section.report.add(one.place, "this account stands here twice")
            found.setdefault(one.account, one)
    return found


def _platform(platforms: Section, name: str, model: "type[BaseModel]", chat_form: str | None) -> list[AccountSection]:
    """The account whose keys stand directly under the platform, and those under `accounts`."""
    direct = _opened(platforms, name, Account(name))
    direct.refuse_unknown((*own_keys(model), *_ACCESS_KEYS, _ACCOUNTS))
    found = []
    if any(key != _ACCOUNTS for key in direct) or _ACCOUNTS not in direct:
        found.append(_account(direct, Account(name), model, chat_form))
    accounts = direct.section(_ACCOUNTS)
    for key in accounts:
        account = Account(name, key)
        section = _opened(accounts, key, account)
        if not is_agent_id(key):
            section.report.add(section.place, "an account's name has letters, digits, `-` and `_`, nothing else")
            continue
        section.refuse_unknown((*own_keys(model), *_ACCESS_KEYS))
        found.append(_account(section, account, model, chat_form))
    return found


def _opened(parent: Section, key: str, account: Account) -> Section:
    """The group under a key, where a problem concerns that account only."""
    return Section(parent.node(key), parent.place_of(key).about("account", str(account)), parent.report)


def _account(section: Section, account: Account, model: "type[BaseModel]", chat_form: str | None) -> AccountSection:
    settings = read_own(section, model) or {}
    secrets = tuple(
        Mention(value, section.place_of(key))
        for key, value in settings.items()
        if key.endswith(SECRET_SUFFIX) and isinstance(value, str)
    )
    access = Access(
        _allowed(section, "allow_users"),
        _allowed(section, "allow_chats"),
        section.flag("open"),
        section.flag("pairing"),
    )
    mention, merge = section.flag("require_mention", True), section.switch("merge", True)
    stream, megabytes = section.flag("stream", True), section.number("file_limit_mb", 20, least=0, most=2000)
    return AccountSection(
        *(account, section.place, access, settings, secrets, mention, merge, stream, megabytes * 1_000_000),
        *(_home(section, chat_form), chat_form),
    )


def _home(section: Section, chat_form: str | None) -> HomeChat | None:
    """The home chat, written as in a target: `<chat>[:<thread>]`."""
    text = section.word("home_chat")
    if text is None:
        return None
    place = section.place_of("home_chat")
    if is_placeholder(text):
        section.report.add(place, "still holds the placeholder of an example")
        return None
    try:
        return HomeChat(*read_place(text.strip(), chat_form))
    except MalformedPlace as error:
        section.report.add(place, str(error))
        return None


def _allowed(section: Section, key: str) -> frozenset[str]:
    found = section.placed_words(key) or []
    for place, word in found:
        if word == "*":
            section.report.add(place, "`*` is nobody's id; `open: true` lets everybody in")
        elif is_placeholder(word):
            section.report.add(place, "still holds the placeholder of an example")
    return frozenset(word for _, word in found)
