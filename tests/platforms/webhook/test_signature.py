"""The Standard Webhooks scheme, with the vendor's library on the other side."""

import base64
import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Vendor

from serai.core.error import Startup
from serai.platforms.webhook.signature import WINDOW, BadSignature, Signer

KEY = "ZmFrZS13ZWJob29rLWtleS1mb3ItdGVzdHM="
SECRET = f"whsec_{KEY}"
NOW = 1_700_000_000.0
BODY = '{"chat_id": "1", "text": "grüß dich"}'


def signed(secret: str | bytes = SECRET, *, at: float = NOW, name: str = "msg_1", body: str = BODY) -> dict[str, str]:
    """Headers as the vendor's library makes them."""
    signature = Vendor(secret).sign(name, datetime.fromtimestamp(at, UTC), body)
    return {"webhook-id": name, "webhook-timestamp": str(int(at)), "webhook-signature": signature}


def refusal(headers: Mapping[str, str], body: bytes = BODY.encode(), now: float = NOW) -> str:
    with pytest.raises(BadSignature) as raised:
        Signer(SECRET).verify(headers, body, now)
    return str(raised.value)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(SECRET, SECRET, id="the prefixed form"),
        pytest.param(SECRET.rstrip("="), SECRET, id="without padding"),
        pytest.param(f" {SECRET}\n", SECRET, id="with blanks around it"),
        pytest.param(KEY, KEY, id="base64 without prefix, as most libraries read it"),
        pytest.param(KEY, KEY.encode(), id="base64 without prefix, as a raw key"),
        pytest.param("fake-webhook-key!", b"fake-webhook-key!", id="a raw key"),
    ],
)
def test_what_the_vendors_library_signs_is_good_and_the_other_way_round(ours: str, theirs: str | bytes) -> None:
    assert Signer(ours).verify(signed(theirs), BODY.encode(), NOW) == "msg_1"
    headers = Signer(ours).sign("d1", time.time(), BODY)
    assert Vendor(theirs).verify(BODY, headers) == {"chat_id": "1", "text": "grüß dich"}


@given(st.binary(min_size=1, max_size=64), st.text(max_size=50), st.uuids())
def test_any_key_and_text_are_signed_alike(key: bytes, text: str, name: object) -> None:
    headers = signed(key, name=str(name), body=text)
    secret = "whsec_" + base64.b64encode(key).decode()
    assert Signer(secret).verify(headers, text.encode(), NOW) == str(name)


def test_one_good_signature_among_several_is_enough() -> None:
    good = signed()["webhook-signature"]
    other = signed("whsec_" + "b3RoZXI=")["webhook-signature"]
    headers = signed() | {"webhook-signature": f"v1a,abc {other} v1, , {good}"}
    assert Signer(SECRET).verify(headers, BODY.encode(), NOW) == "msg_1"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    headers = {key: text for key, text in signed().items() if key != name}
    assert f"`{name}` is missing" in refusal(headers if value is None else headers | {name: value})


@pytest.mark.parametrize(
    "signature",
    [
        "v1,",
        "v1",
        ",",
        "nonsense",
        "v1,bm9wZQ==",
        "v1,ü",
        "v1,\udcff",
        "v2,{good}",
        "{good}x",
        "x{good}",
        "V1,{good}",
    ],
)
def test_anything_but_the_right_signature_is_refused(signature: str) -> None:
    good = signed()["webhook-signature"].removeprefix("v1,")
    assert "no signature" in refusal(signed() | {"webhook-signature": signature.format(good=good)})


@pytest.mark.parametrize("changed", [{"webhook-id": "msg_2"}, {"webhook-timestamp": str(int(NOW) + 1)}])
def test_the_id_and_the_time_are_signed_too(changed: dict[str, str]) -> None:
    assert "no signature" in refusal(signed() | changed)


def test_a_changed_body_is_refused() -> None:
    assert "no signature" in refusal(signed(), BODY.replace("dich", "euch").encode())


def test_a_body_that_is_no_text_is_refused() -> None:
    assert "UTF-8" in refusal(signed(), b"\xff\xfe")
    assert "UTF-8" in refusal(signed() | {"webhook-id": "\udcff"})


@pytest.mark.parametrize("off", [-WINDOW, WINDOW])
def test_five_minutes_either_way_are_allowed(off: float) -> None:
    assert Signer(SECRET).verify(signed(at=NOW + off), BODY.encode(), NOW) == "msg_1"


@pytest.mark.parametrize("off", [-WINDOW - 1, WINDOW + 1])
def test_more_than_five_minutes_are_refused_by_the_gateways_clock(off: float) -> None:
    assert "5 minutes" in refusal(signed(at=NOW + off))
    assert "5 minutes" in refusal(signed(), now=NOW - off)


@pytest.mark.parametrize("stamp", ["soon", "-1", "1e9", "1_700_000_000", "١٧٠٠٠٠٠٠٠٠", "9" * 400, "1700000000.5"])
def test_a_time_that_is_no_number_of_seconds_is_refused(stamp: str) -> None:
    assert "webhook-timestamp" in refusal(signed() | {"webhook-timestamp": stamp})


@pytest.mark.parametrize(
    "secret",
    [
        "",
        " ",
        "\n",
        "whsec_",
        "whsec_ ",
        "changeme",
        "whsec_CHANGEME",
        "<secret>",
        "${CRM_SECRET}",
        "whsec_not/base64!",
        "None",
    ],
)
def test_a_blank_or_placeholder_secret_refuses_to_start(secret: str) -> None:
    with pytest.raises(Startup) as raised:
        Signer(secret)
    assert "secret" in str(raised.value)
    assert "base64!" not in str(raised.value)


def test_the_secret_cannot_be_read_from_the_signer() -> None:
    assert KEY not in repr(Signer(SECRET))
