"""The web chat put together: its platform, and its resources for the HTTP server."""

from collections.abc import Sequence
from functools import partial

from serai.api.path import Area, Resource
from serai.ports.clock import Clock, Entropy
from serai.ports.mailbox import Mailbox
from serai.web.driver import Web
from serai.web.hub import Hub, Turns


class Site:
    """One per gateway. `hub.resume` is due before turns go on after a start, `hub.close` before the server stops.

    `area` is what is served at `/` and below `/web/`.
    """

    def __init__(self, mailbox: Mailbox, turns: Turns, clock: Clock, entropy: Entropy) -> None:
        self.hub = Hub(mailbox, turns, clock)
        self.platform = Web(mailbox, self.hub, clock)
        self.area = Area(["/", "/web"], partial(_resources, mailbox, self.hub, self.platform, clock, entropy))


def _resources(mailbox: Mailbox, hub: Hub, platform: Web, clock: Clock, entropy: Entropy) -> Sequence[Resource]:
    from serai.web import assets
    from serai.web.chats import Chats
    from serai.web.desk import Desk
    from serai.web.sign_in import SignIn

    chats = Chats(mailbox, hub, Desk(mailbox, hub, platform, clock, entropy))
    sign_in = SignIn(clock)
    return [
        Resource("/", {"GET": assets.page}, guard="host"),
        Resource("/web/sign-in", {"POST": sign_in.enter, "DELETE": sign_in.leave}, guard="host"),
        Resource("/web/agents", {"GET": chats.agents}, guard="page"),
        Resource("/web/chats", {"GET": chats.list}, guard="page"),
        Resource("/web/chats/{id}", {"GET": chats.messages}, guard="page"),
        Resource("/web/chats/{id}/messages", {"POST": chats.send}, guard="page"),
        Resource("/web/chats/{id}/stop", {"POST": chats.stop}, guard="page"),
        Resource("/web/chats/{id}/events", {"GET": chats.events}, guard="page"),
        Resource("/web/chats/{id}/images/{message}/{n}", {"GET": chats.image}, guard="page"),
        Resource("/web/{file}", {"GET": assets.file}, guard="host", exists=assets.known),
    ]
