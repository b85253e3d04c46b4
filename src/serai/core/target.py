"""Where something is to be sent: what people write, and the places that are meant (SPEC 9.5, 10.2, 16.7)."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from serai.core.delivery import Target
from serai.core.home_chat import HomeChat
from serai.core.ids import Account, AgentId
from serai.core.place import MalformedPlace, read_place, written_place
from serai.core.snapshot import AccountSettings

NOWHERE: Final = "no delivery target"
"""The words of SPEC 9.5 for a list of which nothing is left."""

LOCAL: Final = "local"
ORIGIN: Final = "origin"
ALL: Final = "all"

_BLANK: Final = " \t\r\n"
_TOLD_MOST: Final = 60
"""Characters of a name that is wrong which are told."""


@dataclass(frozen=True, slots=True)
class TargetProblem:
    """Why nothing is sent for one of the values. `target` is the place that it meant, where that is known."""

    text: str
    value: str
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Expansion:
    """The places that a list of values means, each once. `local`: it is right that nothing is sent, or not only."""

    targets: tuple[Target, ...] = ()
    problems: tuple[TargetProblem, ...] = ()
    local: bool = False


class _Wrong(Exception):
    """One value that means no place that can be sent to."""

    def __init__(self, text: str, target: Target | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.target = target


@dataclass(frozen=True, slots=True)
class _Atlas:
    """What values are looked up in."""

    origin: Target | None
    accounts: Mapping[Account, AccountSettings]
    homes: Mapping[Account, HomeChat]


def expand(
    deliver: Sequence[str] | None,
    *,
    owner: AgentId | None,
    origin: Target | None,
    accounts: Mapping[Account, AccountSettings],
    homes: Mapping[Account, HomeChat],
    refusal: str | None = None,
) -> Expansion:
    """The places that `deliver` means; None is `origin` where there is one, else `local`.

    Every target is `owner`'s, else the origin's agent's. What is wrong with one value does not stop the others.
    `refusal` says why nothing may be sent at all: that is then the only problem.
    """
    if refusal is not None:
        return Expansion(problems=(TargetProblem(refusal, ""),))
    if deliver is None:
        deliver = (ORIGIN,) if origin is not None else (LOCAL,)
    agent = owner or (origin.agent_id if origin is not None else None)
    atlas = _Atlas(origin, accounts, homes)
    local = False
    found: dict[str, Target] = {}
    problems: list[TargetProblem] = []
    for value in deliver:
        word = value.strip(_BLANK)
        if is_local(value):
            local = True
            continue
        try:
            for target in _meant(word, atlas):
                found.setdefault(target.place, replace(target, agent_id=agent, reply_to=()))
        except _Wrong as wrong:
            meant = replace(wrong.target, agent_id=agent, reply_to=()) if wrong.target else None
            problems.append(TargetProblem(wrong.text, value, meant))
    if not found and not local:
        problems = [replace(one, text=f"{NOWHERE}: {one.text}") for one in problems] or [TargetProblem(NOWHERE, "")]
    return Expansion(tuple(found.values()), tuple(problems), local)


def is_local(value: str) -> bool:
    """Whether a value says that nothing is sent."""
    return value.strip(_BLANK).lower() == LOCAL


def written(target: Target, chat_form: str | None = None) -> str:
    """The text that means this place, whatever its ids hold. `chat_form` is its platform's (`read_place`).

    >>> written(Target("matrix", "!room:server.org", "work", "$thread"))
    'matrix@work:!room%3Aserver.org:$thread'
    """
    return f"{target.connection}:{written_place(target.chat_id, target.thread_id, chat_form)}"


def _meant(word: str, atlas: _Atlas) -> Iterator[Target]:
    """The places that one value means. Raises _Wrong."""
    if not word:
        raise _Wrong("the target is blank")
    if word.lower() == ORIGIN:
        if atlas.origin is None:
            raise _Wrong("there is no chat that it came from")
        yield _usable(atlas.origin, atlas)
    elif word.lower() == ALL:
        enabled = [one for one in atlas.homes if one in atlas.accounts and atlas.accounts[one].refusal is None]
        if not enabled:
            raise _Wrong("no enabled account has a home chat")
        for account in enabled:
            yield atlas.homes[account].target(account)
    else:
        yield _usable(_named(word, atlas), atlas)


def _usable(target: Target, atlas: _Atlas) -> Target:
    """The target, if its account can be sent through."""
    settings = atlas.accounts.get(target.connection)
    if settings is None:
        raise _Wrong(f"the account `{target.connection}` is not configured any more", target)
    if settings.refusal is not None:
        raise _Wrong(f"the account `{target.connection}` is disabled: {settings.refusal}", target)
    return target


def _named(word: str, atlas: _Atlas) -> Target:
    """`<platform>[@<account>][:<chat>[:<thread>]]`."""
    head, colon, rest = word.partition(":")
    name, at, account_name = head.partition("@")
    if not name:
        raise _Wrong(f"the name of a platform is missing before the `{'@' if at else ':'}`")
    platform = _platform(name, atlas.accounts)
    if at and not account_name:
        raise _Wrong("the name of an account is missing behind the `@`")
    if not colon:
        account = _account(platform, account_name, atlas.accounts) if at else None
        return _home(platform, account, atlas)
    account = _account(platform, account_name, atlas.accounts) if at else _only(platform, atlas.accounts)
    try:
        chat, thread = read_place(rest, atlas.accounts[account].chat_form)
    except MalformedPlace as error:
        raise _Wrong(str(error)) from error
    return _known(HomeChat(chat, thread).target(account), atlas)


def _known(target: Target, atlas: _Atlas) -> Target:
    """The same place with what is known of it, or else of its chat: as the origin, or as a home. A chat is none of
    the threads in it."""
    places = [] if atlas.origin is None else [atlas.origin]
    places += [home.target(account) for account, home in atlas.homes.items()]
    near = [one for one in places if one.connection == target.connection and one.chat_id == target.chat_id]
    for one in sorted(near, key=lambda one: one.thread_id != target.thread_id):
        if one.thread_id == target.thread_id or target.thread_id or one.chat_type != "thread":
            return replace(target, chat_type=one.chat_type, user_id=one.user_id)
    return target


def _home(platform: str, account: Account | None, atlas: _Atlas) -> Target:
    """The origin's chat where it is one of the platform, or of the account; else the home chat.

    Without an account that is the one of account `default`, else of the only account that has one; a disabled one
    counts where no other has.
    """
    origin = atlas.origin
    if origin is not None and (origin.connection == account if account else origin.platform == platform):
        return origin
    if account is not None:
        if account not in atlas.homes:
            _usable(Target(account.platform, "", account.name), atlas)
            raise _Wrong(f"`{account}` has no home chat; `/sethome` in one of its chats makes it that")
        return atlas.homes[account].target(account)
    having = [one for one in atlas.homes if one.platform == platform and one in atlas.accounts]
    if Account(platform) in having:
        having = [Account(platform)]
    having = [one for one in having if atlas.accounts[one].refusal is None] or having
    if not having:
        raise _Wrong(f"`{platform}` has no home chat; `/sethome` in one of its chats makes it that")
    if len(having) > 1:
        raise _Wrong(f"several accounts have a home chat, say which: {_listed(having)}")
    return atlas.homes[having[0]].target(having[0])


def _platform(name: str, accounts: Mapping[Account, AccountSettings]) -> str:
    """The platform's name as it is configured, whatever case it was written in."""
    names = {account.platform.lower(): account.platform for account in accounts}
    found = names.get(name.lower())
    if found is None:
        raise _Wrong(f"no platform `{_told(name)}` is configured{_near(name.lower(), names)}")
    return found


def _account(platform: str, name: str, accounts: Mapping[Account, AccountSettings]) -> Account:
    account = Account(platform, name)
    if account not in accounts:
        names = [one.name for one in accounts if one.platform == platform]
        raise _Wrong(f"`{platform}` has no account `{_told(name)}`{_near(name, names)}")
    return account


def _only(platform: str, accounts: Mapping[Account, AccountSettings]) -> Account:
    """The account through which a chat is reached that names none: `default`, else the only one there is."""
    having = [one for one in accounts if one.platform == platform]
    if Account(platform) in having:
        return Account(platform)
    if len(having) > 1:
        raise _Wrong(f"`{platform}` has several accounts, say which: {_listed(having)}")
    return having[0]


def _told(name: str) -> str:
    return name if len(name) <= _TOLD_MOST else f"{name[:_TOLD_MOST]}…"


def _near(name: str, names: Collection[str]) -> str:
    near = get_close_matches(name, list(names), n=1)
    return f" (did you mean `{near[0]}`?)" if near else ""


def _listed(accounts: Sequence[Account]) -> str:
    return ", ".join(f"`{one}`" for one in sorted(accounts))
