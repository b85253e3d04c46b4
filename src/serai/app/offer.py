"""What the API may ask of a gateway's parts (SPEC 11)."""

from collections.abc import Callable
from dataclasses import dataclass

from serai.api.services import Readiness, Services
from serai.app.approval import RunApprovals
from serai.app.parts import Parts
from serai.core.delivery import Delivery
from serai.core.error import SeraiError
from serai.core.ids import Account, DeliveryId
from serai.gateway.key import chat_key
from serai.gateway.request.sessions import Sessions
from serai.ports.platform import HttpEndpoint, HttpReply, HttpRequest


def services(parts: Parts) -> Services:
    """Everything behind the API."""
    state, offer = parts.state, _Offer(parts)
    return Services(
        snapshot=lambda: state.snapshot,
        secrets=lambda: state.secrets,
        redactor=lambda: state.redactor,
        runs=parts.runs,
        archive=parts.archive,
        sessions=Sessions(parts.door),
        retry=offer.retry,
        send=parts.sending.send,
        jobs=parts.schedules.jobs,
        check_job=parts.check_job,
        activity=parts.activity,
        lasting=parts.lasting,
        approvals=RunApprovals(parts.approvals),
        conversations=parts.sqlite.conversations,
        explain=parts.resolver.explain,
        endpoint=offer.endpoint,
        ready=offer.ready,
        reload=parts.reloader.reload,
        stop_agent=parts.control.stop_agent,
        start_agent=parts.control.start_agent,
        metrics=offer.metrics,
        local_token=parts.token,
        clock=parts.clock,
        entropy=parts.entropy,
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What no part offers by itself."""

    parts: Parts

    def metrics(self) -> Callable[[], bytes]:
        """What gives the Prometheus text; its library is imported with the first request."""
        from serai.app import metrics

        parts = self.parts
        collector = metrics.MeterCollector(
            parts.meter, lambda: parts.lanes.in_flight, parts.switchboard, parts.schedules.jobs
        )
        return metrics.renderer(collector)

    async def retry(self, delivery_id: DeliveryId) -> Delivery | None:
        """Sends a delivery again whose outcome is unknown, or that was given up. Raises StorageFailed."""
        delivery = await self.parts.store.retry(delivery_id, self.parts.clock.now())
        if delivery is not None:
            self.parts.engine.wake(chat_key(delivery.target))
        return delivery

    def endpoint(self, platform: str, account: str) -> HttpEndpoint | None:
        """What receives for an account; None where there is none."""
        known = Account(platform, account)
        if self.parts.state.account(known) is None:
            return None
        connection = self.parts.switchboard.connection(known)
        if connection is None:
            return _Unavailable(
                HttpReply(503, code="not_connected", text="this account is not running", retry_after=5)
            )
        if connection.platform is None:
            return _Unavailable(HttpReply(503, code="account_disabled", text=connection.reason or "disabled"))
        return connection.platform if isinstance(connection.platform, HttpEndpoint) else None

    async def ready(self) -> Readiness:
        """Store and default agent must work; the accounts' states are told, but are no reason (SPEC 11.6)."""
        parts, snapshot = self.parts, self.parts.state.snapshot
        reasons = {"default_agent": snapshot.refusal(snapshot.default_agent), "store": await self._store_fault()}
        body = {
            "ready": not any(reasons.values()),
            "reasons": {name: reason for name, reason in reasons.items() if reason},
            "revision": snapshot.revision,
            "default_agent": snapshot.default_agent,
            "agents": {agent: profile.refusal or "ready" for agent, profile in snapshot.agents.items()},
            "accounts": {str(c.account): str(c) for c in parts.switchboard.connections()},
            "turns_in_flight": parts.lanes.in_flight,
            "configuration": {
                "problems": [str(problem) for problem in parts.reloader.problems],
                "needs_restart": parts.reloader.needs_restart,
            },
        }
        return Readiness(not any(reasons.values()), body)

    async def _store_fault(self) -> str | None:
        try:
            await self.parts.store.unfinished(self.parts.clock.now())
        except SeraiError as error:
            return str(error)
        return None


@dataclass(frozen=True, slots=True)
class _Unavailable:
    """The endpoint of an account that cannot receive: 503 with the reason (SPEC 16.6)."""

    reply: HttpReply

    async def handle(self, _request: HttpRequest) -> HttpReply:
        return self.reply
