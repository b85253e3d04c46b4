"""docs/reference.md says what the gateway serves at /openapi.json."""

from tests.docs.reference import PAGE, reference


def test_the_reference_is_that_of_this_gateway() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `python -m tests.docs.reference`"
