"""What Discord tells an account's check, as far as it matters there. All else is the library's."""

from msgspec import Struct


class Me(Struct):
    """`GET /users/@me`."""

    username: str


class Application(Struct):
    """`GET /applications/@me`."""

    flags: int = 0
    interactions_endpoint_url: str | None = None


class Server(Struct):
    """One of `GET /users/@me/guilds`."""

    id: str
