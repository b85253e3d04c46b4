"""Errors as types that carry their policy.

SeraiError
├── Refused               a message that no agent may answer; the sender is told `reason`
│   ├── UnknownAgent      no such agent, disabled, or stopped
│   ├── Unauthorised      this sender or key may not
│   └── MessageDropped    a plugin dropped it
├── Busy                  a bound was reached; try again after `retry_after` seconds
├── StorageFailed         the store could not write (full disk, read-only home); nothing was accepted
├── Fenced                this worker was replaced; drop what it was doing, silently
├── Suspended             the turn waits for people and was given back; it goes on when they have answered
├── InvalidTools          the agent cannot be offered the client's tools
├── NoModel               the agent has no usable model
├── ModelError            a model call failed; `retry` says whether another try may help
│   ├── ModelRejected     the endpoint refused the call (400, 401, 403, 404, 422); another try changes nothing
│   ├── ModelFailed       the endpoint failed on its own account (5xx)
│   ├── ModelLimited      429; `retry_after` where the endpoint named it
│   ├── ModelUnreachable  no connection
│   ├── ModelTimeout      too slow
│   └── ModelGarbled      an answer that is no answer: HTML, empty, cut
├── ToolFailed            a tool could not do what was asked; the model is told
├── SendFailed            a delivery failed
│   ├── SendTemporary     surely not sent; try again, after `retry_after` where the platform named it
│   ├── SendPermanent     never going to work; dead at once
│   └── SendUnknown       it may have been sent
├── FetchFailed           a file that came with a message could not be had; the model and its people are told
├── Shut                  a connection that must not be tried again until something is changed
│   ├── CredentialsRefused  the platform refuses the account's credentials
│   └── LoggedInElsewhere   the same credentials are in use elsewhere
└── Startup               the gateway, a platform or a model could not start; the sentence says what to do
"""


class SeraiError(Exception):
    """The root of all errors of the product. Its text is a sentence for people and holds no secret."""


class Refused(SeraiError):
    """A message that no agent may answer (SPEC 4.3, 16.6)."""

    code = "refused"


class UnknownAgent(Refused):
    """The agent is not configured, disabled or stopped."""

    code = "agent_refused"


class Unauthorised(Refused):
    """The sender, or the key, may not do this."""

    code = "unauthorised"


class MessageDropped(Refused):
    """A plugin dropped the message before it was stored (SPEC 16.2)."""

    code = "message_dropped"


class Busy(SeraiError):
    """A bound was reached; nothing was accepted (SPEC 5.8)."""

    def __init__(self, text: str, retry_after: float = 1.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class StorageFailed(SeraiError):
    """The store could not write; nothing was accepted (SPEC 5.9)."""


class Fenced(SeraiError):
    """A replaced worker tried to start or finish something (SPEC 5.3, 5.4)."""


class InvalidTools(SeraiError):
    """The agent cannot be offered the tools that an API client brings; nothing was accepted (SPEC 11.3)."""


class Suspended(SeraiError):
    """The turn waits for an approval, without a worker; a later claim goes on with it (SPEC 6.5)."""


class NoModel(SeraiError):
    """The agent has no usable model; the text names the ways to get one (SPEC 7.1, 7.2)."""


class ModelError(SeraiError):
    """A model call failed. `status` is what an API caller gets (SPEC 11.8)."""

    retry = False
    status = 502
    code = "upstream_error"

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class ModelRejected(ModelError):
    """The endpoint refused the call for a reason that another try does not change."""


class ModelFailed(ModelError):
    """The endpoint failed on its own account (5xx)."""

    retry = True


class ModelLimited(ModelError):
    """The endpoint's rate limit."""

    retry = True
    status = 429
    code = "upstream_rate_limited"


class ModelUnreachable(ModelError):
    """No connection to the endpoint."""

    retry = True
    status = 503
    code = "upstream_unreachable"


class ModelTimeout(ModelError):
    """The endpoint took too long."""

    retry = True
    status = 504
    code = "upstream_timeout"


class ModelGarbled(ModelError):
    """What came back is no answer: HTML, nothing, or a stream that was cut."""

    retry = True
    code = "upstream_bad_answer"


class ToolFailed(SeraiError):
    """A tool could not do what was asked; the model is told the text."""


class SendFailed(SeraiError):
    """A delivery failed."""


class SendTemporary(SendFailed):
    """Surely not sent; another try may work."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class SendPermanent(SendFailed):
    """Will never work."""


class SendUnknown(SendFailed):
    """It may have been sent; only an idempotent platform may repeat it (SPEC 5.5)."""


class FetchFailed(SeraiError):
    """A file that came with a message could not be had: too large, gone, or refused. The text says why."""


class Shut(SeraiError):
    """A connection that must not be tried again until its settings change; the text says what to do (SPEC 13.2)."""


class CredentialsRefused(Shut):
    """The platform refuses the account's credentials: wrong, revoked, or without a right that is needed."""


class LoggedInElsewhere(Shut):
    """The same credentials are in use by another process; going on would make the two fight for ever."""


class Startup(SeraiError):
    """Something could not start; the text says what to do about it."""
