"""What a job's script may see of secrets, and what of them leaves the gateway (SPEC 2.5, 9.4, 14, 16.4)."""

from pathlib import Path

import pytest

from tests.schedules.cast import job
from tests.schedules.world import API_KEY, House, World, until, world

pytestmark = pytest.mark.slow

JOB = "0123456789ab"
OTHER = "ba9876543210"
ALLOWED = {"PATH", "HOME", "LANG", "SERAI_AGENT", "SERAI_JOB", "SERAI_JOB_NAME", "PWD", "SHLVL", "_", "OLDPWD"}
"""What is given, and what shells add by themselves."""


async def test_a_script_sees_nothing_of_the_gateways_environment_and_no_key(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        ops, lab = on.actor("ops"), on.actor("lab")
        house = on.house(on.actor("main"), ops, lab)
        (ops.cron / "scripts").mkdir(parents=True)
        (ops.cron / "scripts" / "see.sh").write_text("env\necho --\ntr '\\0' '\\n' < /proc/self/environ\n")
        ops.write(job(JOB, script="see.sh", no_agent=True, name="all that I see"))
        await house.up(environment={"GATEWAYS_OWN": "fake-value-of-the-gateway", "OPENAI_API_KEY": "fake-key-0"})
        await until(lambda: bool(ops.outputs()))
        [said] = ops.outputs()
        names = {line.partition("=")[0] for line in said.splitlines() if "=" in line}
        assert {"PATH", "HOME", "SERAI_AGENT", "SERAI_JOB"} <= names <= ALLOWED
        assert "SERAI_AGENT=ops" in said
        for secret in (API_KEY, ops.key, lab.key, "fake-value", "fake-key", "whsec", str(house.home / "state.db")):
            assert secret not in said


def leaking(on: World) -> House:
    """A house whose agent ops has jobs that tell its key: as an answer, to a model, and as a failure."""
    ops = on.actor("ops")
    house = on.house(on.actor("main"), ops)
    scripts = ops.cron / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "tell.sh").write_text(f"echo my key is {ops.key}, keep it\n")
    (scripts / "fail.sh").write_text(f"echo no entry for {ops.key} >&2\nexit 1\n")
    ops.write(
        job(JOB, script="tell.sh", no_agent=True, deliver="webhook:told"),
        job(OTHER, script="fail.sh", no_agent=True, deliver="webhook:failed"),
        job("0" * 12, script="tell.sh", deliver="webhook:asked"),
    )
    return house


async def test_a_key_in_what_a_script_says_is_taken_out_of_all_that_leaves(tmp_path: Path) -> None:
    async with world(tmp_path, "default") as on:
        house = leaking(on)
        await house.up()
        await on.receivers["default"].count(3)
        said = {got.chat_id: got.text for got in on.receivers["default"].received}
        assert said["told"] == "my key is [redacted], keep it"
        assert said["failed"].endswith("failed with exit code 1: no entry for [redacted]")
        [asked] = on.recorder.asked
        assert "my key is [redacted], keep it" in asked.user_text
        await until(lambda: "no entry for [redacted]" in (house.home / "logs" / "serai.log").read_text())
        log = (house.home / "logs" / "serai.log").read_text()
        for left in (*said.values(), asked.raw, log, house.gateway.errors() if house.gateway else ""):
            assert "fake-key-of-ops" not in left
