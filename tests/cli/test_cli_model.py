"""`serai model`: configured, found and embedded models (SPEC 7.2)."""

from serai.models.weights import SMOLLM2
from tests.cli.terminal import Terminal

MODELS = """\
model: {name: m-main, base_url: "http://127.0.0.1:9/v1", fallback: [m-second]}
agents:
  ops: {model: m-ops}
"""


def test_models_are_listed_per_agent_in_the_order_in_which_they_are_tried(serai: Terminal) -> None:
    serai.write(MODELS)
    models = [one for one in serai("model", "list", "--json").document["data"] if one["source"] == "configured"]
    assert [(one["agent"], one["name"]) for one in models] == [
        ("main", "m-main"), ("main", "m-second"), ("ops", "m-ops"), ("ops", "m-second")
    ]  # fmt: skip
    assert "m-ops" in serai("model", "list").out


def test_absent_weights_say_how_to_get_them(serai: Terminal) -> None:
    assert "serai model pull" in serai("model", "list").out
    assert serai("model", "list", "--json").document["data"][-1]["present"] is False


def test_present_weights_are_shown(serai: Terminal) -> None:
    file = serai.write("", f"models/{SMOLLM2.file}")
    with file.open("wb") as weights:
        weights.truncate(SMOLLM2.gguf_bytes)
    assert str(file.relative_to(serai.home)) in serai("model", "list").out
    assert serai("model", "list", "--json").document["data"][-1]["path"] == str(file)
