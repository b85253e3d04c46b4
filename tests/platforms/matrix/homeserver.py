"""A homeserver in memory: rooms, their events in one stream, and what each account may see of it. No sockets.

Formats are those of the Matrix client-server API 1.11. What a client may not send is a Complaint.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

SERVER: Final = "peer.example"
_LARGEST: Final = 65_536
_ENVELOPE: Final = 1_500
"""What signing adds to an event, about."""


class Complaint(AssertionError):
    """A request that the API does not know, or whose shape it does not allow."""


@dataclass(slots=True)
class Login:
    """An account with one session."""

    user_id: str
    token: str
    device_id: str
    keys: dict[str, Any] = field(default_factory=dict)
    one_time: dict[str, Any] = field(default_factory=dict)
    letters: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Room:
    """A room: its events by place in the stream, and its state now."""

    room_id: str
    events: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    state: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    came: dict[str, int] = field(default_factory=dict)
    typing: list[str] = field(default_factory=list)
    typed: int = 0

    def members(self, membership: str) -> list[str]:
        return [
            key
            for (kind, key), event in self.state.items()
            if kind == "m.room.member" and event["content"]["membership"] == membership
        ]


class Homeserver:
    """Rooms and accounts. Every change has its place in one stream, as in Synapse's sync tokens."""

    def __init__(self) -> None:
        self.rooms: dict[str, Room] = {}
        self.logins: dict[str, Login] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.position = 0
        self.transactions: dict[tuple[str, str], str] = {}
        self._numbers = count(1)

    def login(self, name: str) -> Login:
        """An account of that name, and its token."""
        user_id = f"@{name}:{SERVER}"
        for login in self.logins.values():
            if login.user_id == user_id:
                return login
        login = Login(user_id, f"fake-token-of-{name}", f"DEVICE{len(self.logins)}")
        self.logins[login.token] = login
        return login

    def room(self, room_id: str) -> Room:
        return self.rooms.setdefault(room_id, Room(room_id))

    def put(
        self,
        room: Room,
        sender: str,
        kind: str,
        content: Mapping[str, Any],
        *,
        key: str | None = None,
        event_id: str | None = None,
        unsigned: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """An event, at the end of the stream; `key` makes it one of state. Returns its id."""
        self.position += 1
        event: dict[str, Any] = {
            "type": kind,
            "sender": sender,
            "content": dict(content),
            "event_id": event_id or f"$e{next(self._numbers)}",
            "origin_server_ts": 1_700_000_000_000 + self.position,
            **more,
        }
        if len(json.dumps(event, ensure_ascii=False).encode()) + _ENVELOPE > _LARGEST:
            self.position -= 1
            raise OverflowError
        if key is not None:
            event["state_key"] = key
            before = room.state.get((kind, key))
            if before:
                unsigned = {**(unsigned or {}), "prev_content": before["content"]}
            room.state[kind, key] = event
            was_in = before is not None and before["content"].get("membership") == "join"
            if kind == "m.room.member" and content["membership"] == "join" and not was_in:
                room.came[key] = self.position
        if unsigned:
            event["unsigned"] = dict(unsigned)
        room.events.append((self.position, event))
        return str(event["event_id"])

    def enter(self, room: Room, user: str, name: str | None = None) -> None:
        """Somebody joins."""
        localpart = user.removeprefix("@").partition(":")[0]
        self.put(room, user, "m.room.member", {"membership": "join", "displayname": name or localpart}, key=user)

    def write(self, login: Login, room: Room, kind: str, content: Mapping[str, Any], transaction: str) -> str:
        """An event that a client sends; the same transaction again is the same event. Raises Complaint."""
        known = self.transactions.get((login.token, transaction))
        if known is not None:
            return known
        if kind == "m.room.message":
            check_message(content)
        event_id = self.put(room, login.user_id, kind, content, unsigned={"transaction_id": transaction})
        self.transactions[login.token, transaction] = event_id
        return event_id


def check_message(content: Mapping[str, Any]) -> None:
    """The shape of a message's content. Raises Complaint."""
    _need(
        isinstance(content.get("msgtype"), str) and isinstance(content.get("body"), str), "msgtype and body", content
    )
    _need(("format" in content) == ("formatted_body" in content), "format and formatted_body", content)
    _need(content.get("format", "org.matrix.custom.html") == "org.matrix.custom.html", "format", content)
    mentions = content.get("m.mentions", {})
    _need(isinstance(mentions, dict) and set(mentions) <= {"user_ids", "room"}, "m.mentions", content)
    if content["msgtype"] in ("m.image", "m.file", "m.audio", "m.video"):
        _need(("url" in content) != ("file" in content), "url or file", content)
    relation = content.get("m.relates_to", {})
    _need(set(relation) <= {"rel_type", "event_id", "m.in_reply_to", "is_falling_back"}, "m.relates_to", content)
    if relation.get("rel_type") == "m.replace":
        _need(isinstance(content.get("m.new_content"), dict), "m.new_content", content)
        _need("m.relates_to" not in content["m.new_content"], "m.new_content", content)
        check_message(content["m.new_content"])
    else:
        _need("m.new_content" not in content, "m.new_content", content)
        _need(relation.get("rel_type") in (None, "m.thread"), "rel_type", content)


def _need(held: bool, what: str, content: Mapping[str, Any]) -> None:
    if not held:
        raise Complaint(f"{what}: {content}")


def sync_of(server: Homeserver, login: Login, since: int | None, *, full: bool, limit: int) -> dict[str, Any]:
    """What an account is told at once. Letters up to `since` have arrived, and are thrown away."""
    after = since or 0
    login.letters = [letter for letter in login.letters if letter[0] > after]
    answer: dict[str, Any] = {"next_batch": f"s{server.position}", "device_one_time_keys_count": {}}
    answer["device_one_time_keys_count"]["signed_curve25519"] = len(login.one_time)
    join: dict[str, Any] = {}
    invite: dict[str, Any] = {}
    for room in server.rooms.values():
        if login.user_id in room.members("join"):
            told = _joined(room, login.user_id, after, full=full or since is None, limit=limit)
            join |= {room.room_id: told} if told else {}
        elif login.user_id in room.members("invite"):
            invite |= _invited(room, login.user_id, after)
    if join or invite:
        answer["rooms"] = {"join": join, "invite": invite}
    if login.letters:
        answer["to_device"] = {"events": [letter for _, letter in login.letters]}
    if (full or since is None) and login.data:
        answer["account_data"] = {"events": [{"type": kind, "content": data} for kind, data in login.data.items()]}
    return answer


def is_empty(answer: Mapping[str, Any]) -> bool:
    return not {"rooms", "to_device"} & set(answer)


def _joined(room: Room, user: str, after: int, *, full: bool, limit: int) -> dict[str, Any] | None:
    fresh = room.came.get(user, 0) > after
    events = [(place, event) for place, event in room.events if fresh or place > after]
    if not events and not full and room.typed <= after:
        return None
    shown = events[-limit:]
    first = shown[0][0] if shown else after + 1
    before = {id(event) for _, event in shown}
    state = [
        event
        for event in room.state.values()
        if (full or fresh or len(shown) < len(events)) and id(event) not in before
    ]
    timeline = {
        "events": [event for _, event in shown],
        "limited": len(shown) < len(events),
        "prev_batch": f"t{first}",
    }
    counts = {
        "m.joined_member_count": len(room.members("join")),
        "m.invited_member_count": len(room.members("invite")),
    }
    typing = [{"type": "m.typing", "content": {"user_ids": room.typing}}] if room.typed > after else []
    return {"timeline": timeline, "state": {"events": state}, "summary": counts, "ephemeral": {"events": typing}}


def _invited(room: Room, user: str, after: int) -> dict[str, Any]:
    event = room.state["m.room.member", user]
    if not any(place > after and other is event for place, other in room.events):
        return {}
    stripped: Sequence[str] = ("type", "sender", "state_key", "content")
    return {room.room_id: {"invite_state": {"events": [{name: event[name] for name in stripped}]}}}
