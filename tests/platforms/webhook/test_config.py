"""Settings of a webhook account."""

import pytest
from pydantic import ValidationError

from serai.platforms.webhook.config import WebhookConfig

GOOD = {"secret_env": "CRM_SECRET", "callback_url": "https://crm.example/answers"}


def problems(**changed: object) -> list[tuple[str, str]]:
    """Place and text of everything that is wrong with the good settings so changed."""
    with pytest.raises(ValidationError) as raised:
        WebhookConfig.model_validate(GOOD | changed)
    return [(str(problem["loc"][0]), problem["msg"]) for problem in raised.value.errors()]


@pytest.mark.parametrize(
    "url",
    ["https://crm.example/answers", "http://127.0.0.1:9/a?token=fake", "http://[::1]:9/", "HTTPS://crm.example"],
)
def test_an_address_is_kept_as_it_was_written(url: str) -> None:
    config = WebhookConfig.model_validate(GOOD | {"callback_url": url})
    assert (config.secret_env, config.callback_url) == ("CRM_SECRET", url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "crm.example/answers",
        "ftp://crm.example",
        "https://",
        "https://[bad",
        "https://h:port/",
        "http://a b/",
    ],
)
def test_what_is_no_web_address_is_a_problem(url: str) -> None:
    ((place, _),) = problems(callback_url=url)
    assert place == "callback_url"


def test_an_address_with_a_password_is_a_problem_that_does_not_repeat_it() -> None:
    with pytest.raises(ValidationError) as raised:
        WebhookConfig.model_validate(GOOD | {"callback_url": "https://ada:fake-password@crm.example/"})
    assert "fake-password" not in str(raised.value)


@pytest.mark.parametrize("name", ["", " ", "whsec_ZmFrZQ==", "my secret", "1ST"])
def test_the_secret_is_named_and_never_written_down(name: str) -> None:
    ((place, text),) = problems(secret_env=name)
    assert place == "secret_env"
    assert "NAME" in text


@pytest.mark.parametrize(
    "changed", [{"secret": "x"}, {"secret_env": None}, {"secret_env": 5}, {"callback_url": None}]
)
def test_unknown_keys_and_wrong_types_are_problems(changed: dict[str, object]) -> None:
    assert len(problems(**changed)) == 1


def test_both_settings_are_required() -> None:
    with pytest.raises(ValidationError) as raised:
        WebhookConfig.model_validate({})
    assert {problem["loc"] for problem in raised.value.errors()} == {("secret_env",), ("callback_url",)}


def test_the_address_is_not_shown_for_its_query_may_be_a_secret() -> None:
    assert "crm.example" not in repr(WebhookConfig.model_validate(GOOD))
