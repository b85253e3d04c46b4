"""Reading request bodies: bounded, strict, and with the name of the wrong field (SPEC 11.1)."""

import asyncio
import re
from typing import Final, TypeVar

import msgspec
from aiohttp import hdrs
from aiohttp.web_exceptions import HTTPRequestEntityTooLarge
from aiohttp.web_protocol import RequestPayloadError
from aiohttp.web_request import BaseRequest

from serai.api.error import ApiError

LIMIT: Final = 10 * 2**20
"""Bytes of a request body, after decompression."""

PATIENCE_S: Final = 60.0
"""Time for a body to come whole after its headers."""

T = TypeVar("T")

_LONGEST_NAME = 200
_LONGEST_TEXT = 400
_PLACE = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)
_CODES = {"missing required": "missing_required_parameter", "contains unknown": "unknown_parameter"}


async def read(request: BaseRequest) -> bytes:
    """The whole body. Raises ApiError 413 for one over the limit, however it is sent, 400 for a broken one and 408
    for one that does not come."""
    headers = request.headers
    if (request.content_length or 0) > LIMIT:
        raise _too_large()
    if hdrs.EXPECT in headers and headers[hdrs.EXPECT].lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    try:
        if request.content.is_eof():
            return await request.read()
        async with asyncio.timeout(PATIENCE_S):
            return await request.read()
    except TimeoutError:
        raise ApiError(408, "body_timeout", f"The body did not come within {PATIENCE_S:g} seconds.") from None
    except HTTPRequestEntityTooLarge:
        raise _too_large() from None
    except RequestPayloadError:
        raise ApiError(400, "invalid_body", "The body is not encoded as its headers say.") from None


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The body as a value. Raises ApiError 400 that names the field where the shape is wrong."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise misshapen(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ApiError(400, "invalid_json", "The body is not valid JSON in UTF-8.") from None
    except RecursionError:
        raise ApiError(400, "invalid_json", "The body is nested too deeply.") from None


def misshapen(text: str) -> ApiError:
    """The error for a value of the wrong shape. msgspec tells the place, and the missing or unknown name, in its
    sentence only."""
    place = _PLACE.search(text)
    text = text[: place.start()] if place else text
    param = place[1].replace("[...]", "") if place else ""
    code = "invalid_value"
    if field := _FIELD.match(text):
        param, code = f"{param}.{field[2]}".lstrip("."), _CODES[field[1]]
    param = param[:_LONGEST_NAME]
    where = f"`{param}`: " if param else ""
    return ApiError(400, code, f"{where}{text[:_LONGEST_TEXT]}.", param=param or None)


def _too_large() -> ApiError:
    return ApiError(413, "body_too_large", f"The body is larger than {LIMIT} bytes.")
