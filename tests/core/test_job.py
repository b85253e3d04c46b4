"""A script's last line tells whether the model is asked (SPEC 9.4)."""

import pytest

from serai.core.job import is_job_id, wakes_agent


@pytest.mark.parametrize(
    "output",
    [
        '{"wakeAgent": false}',
        'Nothing new.\n{"wakeAgent": false}\n',
        '{"wakeAgent":false,"count":0}\r\n\n  \n',
        '  {"wakeAgent": false}  ',
        'a\n\n{ "reason": "quiet", "wakeAgent" : false }',
    ],
)
def test_a_last_line_with_wake_agent_false_lets_the_model_sleep(output: str) -> None:
    assert not wakes_agent(output)


@pytest.mark.parametrize(
    "output",
    [
        "",
        "\n\n",
        "news",
        '{"wakeAgent": true}',
        '{"wakeAgent": "false"}',
        '{"wakeAgent": 0}',
        '{"wakeAgent": null}',
        '{"wakeagent": false}',
        '{"wakeAgent": false',
        '{"wakeAgent": false} and more',
        '{"wakeAgent": false}\nnews',
        '[{"wakeAgent": false}]',
        '{"a": {"wakeAgent": false}}',
        '{\n"wakeAgent": false\n}',
        '{"a":' * 600,
        '{"a": ' + "9" * 5000 + "}",
        "false",
    ],
    ids=lambda text: text[:30],
)
def test_anything_else_wakes_it(output: str) -> None:
    assert wakes_agent(output)


def test_a_job_id_is_twelve_hex_digits() -> None:
    assert is_job_id("0123456789ab")
    assert not any(map(is_job_id, ("", "0123456789a", "0123456789abc", "0123456789aB", "0123456789a\n")))
