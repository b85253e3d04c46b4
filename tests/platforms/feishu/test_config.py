"""Settings of an account, and its manifest."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from serai.platforms import feishu
from serai.platforms.feishu.config import FeishuConfig, address_of

GOOD = {"app_id": "cli_0123456789abcdef", "app_secret_env": "FEISHU_SECRET"}


def test_an_app_needs_its_id_and_the_name_of_its_secret() -> None:
    assert FeishuConfig.model_validate(GOOD).domain == "feishu"
    for missing in GOOD:
        with pytest.raises(ValidationError):
            FeishuConfig.model_validate({key: value for key, value in GOOD.items() if key != missing})


@pytest.mark.parametrize(
    ("domain", "address"),
    [
        ("feishu", "https://open.feishu.cn"),
        ("Lark", "https://open.larksuite.com"),
        ("https://open.feishu.example/", "https://open.feishu.example"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
    ],
)
def test_a_domain_is_an_edition_or_an_address(domain: str, address: str) -> None:
    assert address_of(FeishuConfig.model_validate(GOOD | {"domain": domain}).domain) == address


@pytest.mark.parametrize(
    "domain",
    [
        "",
        "china",
        "ftp://a.example",
        "https://",
        "https://a:b@c.example",
        "https://a.example?x=1",
        "https://a b",
        "http://[x",
    ],
)
def test_what_is_no_domain_is_a_problem(domain: str) -> None:
    with pytest.raises(ValidationError) as caught:
        FeishuConfig.model_validate(GOOD | {"domain": domain})
    assert [error["loc"] for error in caught.value.errors()] == [("domain",)]


@pytest.mark.parametrize(
    "changed", [{"app_id": ""}, {"app_id": "cli 1"}, {"app_id": 5}, {"secret": "x"}, {"domain": None}]
)
def test_anything_else_is_a_problem(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeishuConfig.model_validate(GOOD | changed)


def test_every_setting_is_explained() -> None:
    assert all(field.description for field in FeishuConfig.model_fields.values())


def test_the_manifest_tells_what_to_do_and_imports_nothing_heavy() -> None:
    assert feishu.NAME == "feishu"
    assert feishu.EXTRA == ""
    assert len(feishu.STEPS) > 3
    program = (
        "import sys, serai.platforms.feishu;"
        "print([name for name in ('aiohttp', 'pydantic', 'msgspec') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
