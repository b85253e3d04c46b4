"""Who may come in: keys, this machine, hosts, origins, proxies (SPEC 11.1, 16.3, 16.6)."""

import pytest

from serai.core.principal import LOCAL
from serai.core.snapshot import ApiKey
from tests.api.stage import ADMIN_KEY, ALL_KEY, LOCAL_TOKEN, OPS_KEY, Stage, request, serving

MODELS = "/v1/models"
PAGE = "https://chat.example.org"
PASSED_ON = {
    "X-Forwarded-For": "127.0.0.1",
    "X-Forwarded-Host": "localhost",
    "X-Forwarded-Proto": "https",
    "Forwarded": "for=127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "Via": "1.1 proxy",
}
"""What proxies add to what they pass on."""


async def status(stage: Stage, *headers: tuple[str, str], host: str = "localhost", path: str = MODELS) -> int:
    return (await stage.send(request("GET", path, b"", headers, host))).status


def bearer(key: str) -> tuple[str, str]:
    return ("Authorization", f"Bearer {key}")


@pytest.mark.parametrize("key", [ALL_KEY, OPS_KEY, ADMIN_KEY, LOCAL_TOKEN])
async def test_a_known_key_comes_in(key: str) -> None:
    async with serving() as stage:
        assert await status(stage, bearer(key)) == 200
        assert await status(stage, ("authorization", f"bEARER  {key}")) == 200


async def test_a_stranger_is_told_how_to_prove_himself() -> None:
    async with serving() as stage:
        answer = await stage.call("GET", MODELS, key="fake-key-other")
    assert (answer.status, answer.error["type"]) == (401, "authentication_error")
    assert answer.headers["www-authenticate"] == 'Bearer realm="serai"'


async def test_a_key_without_a_secret_opens_nothing() -> None:
    async with serving(keys=(ApiKey("empty", "EMPTY_KEY", None),)) as stage:
        assert await status(stage) == 401
        assert await status(stage, bearer("")) == 401
        assert await status(stage, bearer("EMPTY_KEY")) == 401


async def test_a_changed_configuration_changes_the_keys_at_once() -> None:
    async with serving() as stage:
        assert await status(stage, bearer(OPS_KEY)) == 200
        stage.configure(keys=(ApiKey("all", "ALL_KEY", None),))
        assert await status(stage, bearer(OPS_KEY)) == 401
        assert await status(stage, bearer(ALL_KEY)) == 200


async def test_a_changed_secret_changes_the_key_at_once() -> None:
    async with serving() as stage:
        assert await status(stage, bearer(ALL_KEY)) == 200
        stage.secrets = type(stage.secrets)()
        stage.secrets.known["ALL_KEY"] = "fake-key-new"
        assert await status(stage, bearer(ALL_KEY)) == 401
        assert await status(stage, bearer("fake-key-new")) == 200


async def test_without_keys_this_machine_is_the_local_admin() -> None:
    async with serving(keys=()) as stage:
        assert await status(stage) == 200
        assert (await stage.chat(key="whatever-the-client-needs")).status == 200
    assert stage.runs.asks[0].principal == LOCAL


async def test_without_keys_what_a_proxy_passes_on_stays_outside() -> None:
    async with serving(keys=()) as stage:
        assert await status(stage, ("X-Forwarded-For", "203.0.113.9")) == 401
        for name, value in PASSED_ON.items():
            assert await status(stage, (name, value)) == 401, name
        stage.configure(trusted_proxies=("127.0.0.1",))
        assert await status(stage, ("X-Forwarded-For", "203.0.113.9")) == 401
        assert await status(stage, ("X-Forwarded-For", "127.0.0.1, 203.0.113.9")) == 401
        assert await status(stage, ("X-Forwarded-For", "nonsense")) == 401
        assert await status(stage, ("X-Forwarded-For", "::1")) == 200
        assert await status(stage, ("X-Forwarded-For", "::1"), ("Via", "1.1 proxy"), ("X-Real-IP", "::1")) == 200
        for name, value in PASSED_ON.items():  # it names its caller in X-Forwarded-For, or nobody does
            assert await status(stage, (name, value)) == (200 if name == "X-Forwarded-For" else 401), name
        assert await status(stage) == 200
        stage.configure(trusted_proxies=("127.0.0.0/8", "203.0.113.0/24"))
        assert await status(stage, ("X-Forwarded-For", "203.0.113.9")) == 401


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8642", "127.0.0.1:1", "127.0.0.9", "[::1]:8642", "[::1]", "localhost.", "0.0.0.0:1"],
)
async def test_our_own_names_are_no_foreign_hosts(host: str) -> None:
    async with serving() as stage:
        assert await status(stage, bearer(ALL_KEY), host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8642", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]", "127.1"]
)
async def test_a_foreign_host_is_refused_with_and_without_keys(host: str) -> None:
    async with serving() as stage:
        assert await status(stage, bearer(ALL_KEY), host=host) == 403
        stage.configure(keys=())
        assert await status(stage, host=host) == 403


async def test_configured_names_are_our_own() -> None:
    settings = {"allowed_hosts": frozenset({"Gate.example.org"}), "public_url": "https://ai.example.org:8443/x"}
    async with serving(**settings) as stage:
        assert await status(stage, bearer(ALL_KEY), host="gate.example.org:80") == 200
        assert await status(stage, bearer(ALL_KEY), host="ai.example.org") == 200
        assert await status(stage, bearer(ALL_KEY), host="example.org") == 403


async def test_a_forwarded_host_counts_from_trusted_proxies_only() -> None:
    forwarded = ("X-Forwarded-Host", "evil.example")
    async with serving() as stage:
        assert await status(stage, bearer(ALL_KEY), forwarded) == 200
        stage.configure(trusted_proxies=("127.0.0.0/8",))
        assert await status(stage, bearer(ALL_KEY), forwarded) == 403
        assert await status(stage, bearer(ALL_KEY), ("X-Forwarded-Host", "localhost"), host="inner.example") == 200


async def test_a_page_of_our_own_may_call() -> None:
    async with serving(public_url="https://ai.example.org") as stage:
        for origin, host in (
            ("http://localhost:8642", "localhost:8642"),
            ("https://localhost", "localhost"),
            ("https://ai.example.org", "127.0.0.1:8642"),
        ):
            assert await status(stage, bearer(ALL_KEY), ("Origin", origin), host=host) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:3000", "null", "", "file://localhost:8642"]
)
async def test_a_foreign_page_may_not_call_whatever_its_key(origin: str) -> None:
    async with serving() as stage:
        assert await status(stage, bearer(ADMIN_KEY), ("Origin", origin), host="localhost:8642") == 403
        stage.configure(keys=())
        assert await status(stage, ("Origin", origin), host="localhost:8642") == 403


async def test_a_listed_page_may_read_answers_and_errors_alike() -> None:
    async with serving(cors_origins=frozenset({PAGE})) as stage:
        for path, expected in ((MODELS, 200), ("/v1/models/gpt-9", 404)):
            answer = await stage.call("GET", path, Origin=PAGE)
            assert answer.status == expected
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert "X-Hermes-Session-Id" in answer.headers["access-control-expose-headers"]
            assert answer.headers["vary"] == "Origin"
        streamed = await stage.chat(stream=True, headers={"Origin": PAGE})
        assert streamed.headers["access-control-allow-origin"] == PAGE
        assert "access-control-allow-origin" not in (await stage.call("GET", MODELS)).headers


async def test_a_listed_page_is_told_beforehand_what_it_may_send() -> None:
    asked = {
        "Access_Control_Request_Method": "POST",
        "Access_Control_Request_Headers": "authorization, x-stainless-os",
    }
    async with serving(cors_origins=frozenset({PAGE})) as stage:
        answer = await stage.call("OPTIONS", "/v1/chat/completions", key=None, Origin=PAGE, **asked)
        refused = await stage.call(
            "OPTIONS", "/v1/chat/completions", key=None, Origin="https://evil.example", **asked
        )
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert answer.headers["access-control-allow-methods"] == "OPTIONS, POST"
    allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    routing = {"X-Hermes-Chat-Id", "X-Hermes-User-Id", "X-Hermes-Thread-Id", "X-Hermes-Session-Id"}
    assert (
        routing | {"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "x-stainless-os"} == allowed
    )
    assert refused.status == 403


async def test_ipv6_clients_are_served() -> None:
    async with serving(host="::1", keys=()) as stage:
        answer = await stage.send(request("GET", MODELS, host=f"[::1]:{stage.port}"), host="::1")
    assert answer.status == 200
