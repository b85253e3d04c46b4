"""The webhook driver: signed requests in, signed requests out (SPEC 13.1, 16.3)."""

import asyncio
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
import msgspec
from yarl import URL

from serai.core.delivery import Delivery
from serai.core.error import Busy, Refused, SendPermanent, SendTemporary, SendUnknown, Startup, StorageFailed
from serai.core.ids import Account
from serai.core.split import measure
from serai.platforms import Surroundings
from serai.platforms.webhook.config import check_url
from serai.platforms.webhook.convert import callback, inbound
from serai.platforms.webhook.signature import BadSignature, Signer
from serai.platforms.webhook.wire import Malformed, parse
from serai.ports.clock import Clock
from serai.ports.platform import Capabilities, HttpReply, HttpRequest, Link, Receipt, Sent

_CAPABILITIES: Final = Capabilities(text_limit=256 * 1024, text_unit="byte", send_key=True, threads=True)
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30, connect=10)
_TEMPORARY: Final = frozenset({408, 409, 429})
_ENCODER: Final = msgspec.json.Encoder()


class Webhook:
    """One account. Requests come through the gateway's HTTP port; answers go to `callback_url`.

    Raises Startup for a blank or unusable secret and for an unusable address.
    """

    def __init__(
        self, account: Account, secret: str, callback_url: str, session: aiohttp.ClientSession, clock: Clock
    ) -> None:
        try:
            self._signer = Signer(secret)
            self._callback_url = _address(callback_url)
        except Startup as error:
            raise Startup(f"platform `{account}`: {error}") from None
        except ValueError:
            raise Startup(f"platform `{account}`: `callback_url` is not an http:// or https:// address") from None
        self._account = account
        self._session = session
        self._clock = clock
        self._link: Link | None = None

    @classmethod
    def configured(cls, surroundings: Surroundings) -> "Webhook":
        """The driver of a configured account. Raises Startup, SecretMissing."""
        account, own = surroundings.settings.account, surroundings.settings.settings
        secret = surroundings.secrets.get(None, str(own["secret_env"]))
        return cls(account, secret, str(own["callback_url"]), surroundings.session, surroundings.clock)

    @property
    def account(self) -> Account:
        return self._account

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    async def run(self, link: Link) -> None:
        """Takes requests until cancelled."""
        self._link = link
        link.up()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._link = None

    async def handle(self, request: HttpRequest) -> HttpReply:
        """Answers one request: 202 once its message is stored, else 400, 401, 403, 429 or 503 (SPEC 16.3).

        The signature is verified before anything of the body is looked at.
        """
        try:
            webhook_id = self._signer.verify(request.headers, request.body, self._clock.now())
            message = inbound(self._account, parse(request.body), webhook_id)
        except BadSignature as error:
            return HttpReply(401, code="invalid_signature", text=str(error))
        except Malformed as error:
            return HttpReply(400, code="invalid_request", text=str(error))
        if self._link is None:
            return HttpReply(503, code="not_connected", text="this account is not running", retry_after=5)
        try:
            receipt = await self._link.receive(message)
        except Refused as error:
            return HttpReply(403, code=error.code, text=str(error))
        except Busy as error:
            return HttpReply(429, code="busy", text=str(error), retry_after=error.retry_after)
        except StorageFailed as error:
            return HttpReply(503, code="storage_failed", text=str(error))
        return HttpReply(202, _taken(receipt))

    async def send(self, delivery: Delivery) -> Sent:
        """POSTs one answer, signed, under the delivery's id, by which the receiver knows a repeated one.

        Raises SendTemporary (not accepted, or no connection), SendPermanent (refused, redirected or too long), or
        SendUnknown (the request was under way and no answer came).
        """
        body, headers = self._request(delivery)
        # Errors are not chained: their text may hold the address, and its query the operator's secret.
        try:
            async with self._session.post(
                self._callback_url, data=body, headers=headers, allow_redirects=False, timeout=_TIMEOUT
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise SendTemporary(f"no connection to the callback address ({type(error).__name__})") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise SendUnknown(f"the callback was sent and not answered ({type(error).__name__})") from None
        if 200 <= status < 300:
            return Sent()
        if status in _TEMPORARY or status >= 500:
            raise SendTemporary(f"the callback was answered with {status}", _seconds(retry_after, self._clock.now()))
        raise SendPermanent(f"the callback was answered with {status}")

    def _request(self, delivery: Delivery) -> tuple[bytes, dict[str, str]]:
        """The body and headers of a callback. Raises SendPermanent where they cannot be made."""
        try:
            body = _ENCODER.encode(callback(delivery))
            size = measure(delivery.text, _CAPABILITIES.text_unit)
        except UnicodeEncodeError:
            raise SendPermanent("the text holds half a surrogate pair and cannot be sent") from None
        if size > _CAPABILITIES.text_limit:
            raise SendPermanent(f"the text has {size} bytes; {_CAPABILITIES.text_limit} can be sent")
        signed = self._signer.sign(delivery.id, self._clock.now(), body.decode())
        return body, {"content-type": "application/json", **signed}


def _taken(receipt: Receipt) -> dict[str, object]:
    taken: dict[str, object] = {"accepted": True, "duplicate": receipt.duplicate}
    return {**taken, "ignored": True} if receipt.ignored else taken


def _address(text: str) -> URL:
    """A usable address. Raises ValueError; reading the host is what finds names that cannot be encoded."""
    url = URL(check_url(text))
    if not url.host:
        raise ValueError("no host")
    return url


def _seconds(retry_after: str | None, now: float) -> float | None:
    """What a Retry-After header asks for: a number of seconds, or a date (RFC 9110 10.2.3)."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(0.0, date.replace(tzinfo=date.tzinfo or UTC).timestamp() - now)
