"""Every error code of the API: its statuses, and when it comes (SPEC 11.1, 11.8, 16.6)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, tuple[tuple[int, ...], str]]] = MappingProxyType(
    {
        "invalid_http": ((400,), "this is no HTTP request"),
        "missing_host": ((400,), "the request names no host"),
        "invalid_header": ((400,), "a header came twice, is too long, or holds what it must not"),
        "invalid_body": ((400,), "the body is not encoded as its headers say"),
        "invalid_json": ((400,), "the body is no JSON in UTF-8, or is nested too deeply"),
        "missing_required_parameter": ((400,), "a parameter is missing"),
        "unknown_parameter": ((400,), "there is no such parameter"),
        "unsupported_parameter": ((400,), "it exists, but no agent honours it"),
        "invalid_value": ((400,), "its value is wrong"),
        "invalid_tools": ((400,), "the agent cannot be offered these `tools`"),
        "invalid_job": ((400,), "a job, or a schedule, that cannot be; `problems` tells each"),
        "no_tool_call": ((400,), "the session has no open tool call with that id"),
        "invalid_request": ((400,), "the body of a webhook does not fit"),
        "invalid_api_key": ((401,), "no key, or one that is not known"),
        "local_only": ((401,), "no key is configured, and the caller is not on this machine"),
        "invalid_signature": ((401,), "a webhook is not signed, not rightly, or not now"),
        "foreign_host": ((403,), "the request's `Host` is no name of this gateway"),
        "foreign_origin": ((403,), "a web page of an origin that is not listed"),
        "unauthorised": ((403,), "this key may not use the agent; this sender may not write"),
        "admin_required": ((403,), "only a key with `admin: true` may do this"),
        "agent_refused": ((403,), "the agent is disabled, stopped or removed, or has no model; the message says why"),
        "message_dropped": ((403,), "a plugin dropped the message"),
        "not_found": ((404,), "there is nothing at this path"),
        "model_not_found": ((404,), "no agent of that name"),
        "agent_not_found": ((404,), "no agent of that name is configured"),
        "not_in_background": ((400,), "only a background response can be cancelled"),
        "response_not_found": ((404,), "there is no such response of this key, or not with this agent"),
        "conversation_not_found": ((404,), "there is no such conversation of this key, or not with this agent"),
        "item_not_found": ((404,), "there is no such item in the conversation"),
        "conversation_busy": ((409,), "a response is under way in the conversation"),
        "response_not_ready": ((409,), "the response to go on with has not ended, or never began"),
        "run_not_found": ((404,), "there is no such run of this key"),
        "session_not_found": ((404,), "there is no such session, or it is another key's, or another agent's"),
        "job_not_found": ((404,), "there is no such job, or it is another key's, or another agent's"),
        "job_run_not_found": ((404,), "the job has no such run"),
        "delivery_not_found": ((404,), "there is no such delivery"),
        "method_not_allowed": ((405,), "this method is not for this path; `Allow` lists those that are"),
        "body_timeout": ((408,), "the body did not come in time"),
        "idempotency_conflict": ((409,), "the same `Idempotency-Key` with another body"),
        "no_approval": ((409,), "the run does not wait for this approval"),
        "session_exists": ((409,), "a copy of a session was to have an id that is taken"),
        "session_of_chat": ((409,), "the session belongs to a chat, so the API cannot speak in it"),
        "ambiguous_job": ((409,), "several agents have a job of that id; `agent` says which is meant"),
        "job_running": ((409,), "it, or another job in its folder, runs just now, or too many were asked for"),
        "jobs_damaged": ((409,), "the agent's jobs file cannot be used as it is; it was left alone"),
        "jobs_off": ((409,), "the agent's schedules are off, or another gateway's or agent's"),
        "not_retriable": ((409,), "the delivery is neither `unknown` nor `dead`"),
        "body_too_large": ((413,), "more than 10 MB"),
        "invalid_configuration": ((422,), "the changed configuration has problems; the earlier one stays in force"),
        "busy": (
            (429,),
            "100 calls wait in this session, or too many runs are under way; `Retry-After` says when to come back",
        ),
        "upstream_rate_limited": (
            (429,),
            "the model's endpoint has reached a limit; `Retry-After` where it named one",
        ),
        "internal_error": ((500,), "something went wrong in the gateway; its log says what"),
        "turn_failed": ((500,), "the same, inside a turn"),
        "turn_died": ((500,), "the turn was interrupted three times and was given up"),
        "upstream_error": ((502,), "the model's endpoint refused the call, or failed"),
        "upstream_bad_answer": ((502,), "its answer was no answer"),
        "upstream_unreachable": ((503,), "it cannot be reached"),
        "upstream_timeout": ((504,), "it took too long"),
        "no_model": ((503,), "the agent has no model that could be called"),
        "run_cancelled": (
            (503,),
            "the turn was cancelled before it was answered, or the gateway or its agent was stopped",
        ),
        "stopping": ((503,), "the gateway is just being stopped"),
        "storage_failed": (
            (503,),
            "nothing can be stored, because the disk is full or read-only; nothing was accepted",
        ),
        "account_disabled": ((503,), "a webhook account has a problem in the configuration"),
        "not_connected": ((503,), "a webhook account is just being started"),
    }
)

CALL: Final = ("invalid_http", "invalid_header", "internal_error")
"""Of every call."""

HOST: Final = ("missing_host", "foreign_host", "foreign_origin")
"""Of calls whose host and origin are looked at."""

KEY: Final = ("invalid_api_key", "local_only")
"""Of calls that need a key."""

QUERY: Final = ("invalid_value", "unknown_parameter")
"""Of calls with parameters behind the path."""

BODY: Final = (
    "invalid_json",
    "invalid_body",
    "invalid_value",
    "missing_required_parameter",
    "unknown_parameter",
    "body_timeout",
    "body_too_large",
)
"""Of calls with a body."""

TURN: Final = (
    "agent_refused",
    "unauthorised",
    "message_dropped",
    "busy",
    "upstream_rate_limited",
    "turn_failed",
    "turn_died",
    "upstream_error",
    "upstream_bad_answer",
    "upstream_unreachable",
    "upstream_timeout",
    "no_model",
    "run_cancelled",
    "storage_failed",
)
"""Of calls that an agent answers."""
