"""Platforms that plugins bring, and libraries that are missing (SPEC 8.2, 13.2)."""

from pathlib import Path

import pytest

from serai.app.platforms import BUILT_IN, Manifests, Schemas, imported
from serai.core.error import Startup
from serai.core.ids import Account
from serai.testing.clock import virtual_time
from tests.app.chatter import PLUGIN, bring
from tests.app.stage import SECRETS, Held, Home, hosting

CONFIG = """\
model: {name: m, base_url: http://127.0.0.1:1/v1}
plugins: {enabled: [chatter]}
platforms:
  chatter: {token_env: CHATTER_TOKEN, room: lobby, open: true}
"""


def home(path: Path, config: str = CONFIG, plugin: str = PLUGIN) -> Home:
    made = Home(path)
    made.configure(config)
    made.write(SECRETS + "CHATTER_TOKEN=fake-chatter-token\n", ".env")
    bring(path, plugin)
    return made


@virtual_time
async def test_an_enabled_plugin_brings_its_platform(tmp_path: Path) -> None:
    loaded = await home(tmp_path).read()
    assert loaded.problems == ()
    assert loaded.snapshot is not None
    account = loaded.snapshot.accounts[Account("chatter")]
    assert account.settings == {"token_env": "CHATTER_TOKEN", "room": "lobby", "retries": 3}
    async with hosting(home(tmp_path), Held()) as hosted:
        hosted.home.configure(CONFIG.replace("lobby", "garden"))
        await hosted.in_force()
        accounts = (await hosted.call("GET", "/ready"))[1]["accounts"]
    assert accounts["chatter"].startswith("running")


@virtual_time
async def test_a_plugin_that_is_not_enabled_brings_nothing(tmp_path: Path) -> None:
    loaded = await home(tmp_path, CONFIG.replace("[chatter]", "[]")).read()
    (problem,) = loaded.problems
    assert problem.text == (
        "unknown platform: the plugin `chatter` is there, but not enabled; name it in `plugins.enabled`"
    )


@virtual_time
async def test_what_keeps_a_plugin_from_bringing_its_platform_is_told_where_that_is_missed(tmp_path: Path) -> None:
    for plugin, reason in (
        ("import nothing_of_that_name\n", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ('PLATFORMS = ("no.such.module",)\n', "the plugin `chatter` brings no platform: ModuleNotFoundError"),
        (
            PLUGIN.replace('NAME = "chatter"', 'NAME = "webhook"'),
            "brings a platform `webhook`, which is there already",
        ),
        ("", "unknown platform"),
    ):
        place = tmp_path / f"home-{len(reason)}"
        (problem,) = (await home(place, plugin=plugin).read()).problems
        assert problem.text.startswith("unknown platform")
        assert reason in problem.text


@virtual_time
async def test_the_settings_of_a_plugins_platform_are_checked_like_any(tmp_path: Path) -> None:
    loaded = await home(tmp_path, CONFIG.replace("room: lobby", "romm: lobby")).read()
    texts = [str(problem) for problem in loaded.problems]
    assert any("romm: unknown key (did you mean `room`?)" in text for text in texts)


def test_a_plugin_takes_no_built_in_platforms_place_and_one_that_is_broken_brings_none(tmp_path: Path) -> None:
    bring(tmp_path, PLUGIN.replace('NAME = "chatter"', 'NAME = "webhook"'), "usurper")
    bring(tmp_path, "import nothing_of_that_name\n", "broken")
    bring(tmp_path, 'PLATFORMS = ("no.such.module",)\n', "lost")
    manifests = Manifests(tmp_path / "plugins", ["usurper", "broken", "lost", "missing"])
    assert list(manifests) == list(BUILT_IN)
    assert manifests["webhook"].__name__ == "serai.platforms.webhook"
    assert "chatter" not in Schemas(tmp_path / "plugins", ["broken"])


@pytest.mark.parametrize(("extra", "command"), [("chatter", "'serai[chatter]'"), ("", "nothing_of_that_name")])
def test_a_missing_library_is_named_with_the_command_that_brings_it(extra: str, command: str, tmp_path: Path) -> None:
    broken = PLUGIN.replace('EXTRA = ""', f'EXTRA = "{extra}"').replace(
        'DRIVER = f"{__name__}:Driver"', 'DRIVER = "nothing_of_that_name.driver:Driver"'
    )
    bring(tmp_path, broken)
    manifest = Manifests(tmp_path / "plugins", ["chatter"])["chatter"]
    with pytest.raises(Startup, match="needs a library that is not installed") as error:
        imported(manifest, manifest.DRIVER)
    assert str(error.value).endswith(f": pip install {command}")


@virtual_time
async def test_an_account_whose_library_is_missing_is_disabled_and_the_others_run(tmp_path: Path) -> None:
    config = CONFIG + '  webhook: {secret_env: HOOK, callback_url: "http://127.0.0.1:1/", open: true}\n'
    broken = PLUGIN.replace('DRIVER = f"{__name__}:Driver"', 'DRIVER = "nothing_of_that_name:Driver"')
    async with hosting(home(tmp_path, config, broken), Held()) as hosted:
        accounts = (await hosted.call("GET", "/ready"))[1]["accounts"]
    assert "pip install nothing_of_that_name" in accounts["chatter"]
    assert accounts["chatter"].startswith("disabled: ")
    assert accounts["webhook"].startswith("running")


@virtual_time
async def test_a_driver_that_cannot_be_made_disables_its_account_alone(tmp_path: Path) -> None:
    broken = PLUGIN.replace("return cls(surroundings.settings.account)", "raise KeyError('a bug')")
    async with hosting(home(tmp_path, plugin=broken), Held()) as hosted:
        accounts = (await hosted.call("GET", "/ready"))[1]["accounts"]
    assert accounts["chatter"] == "disabled: its driver failed (KeyError); the log says where"
    assert accounts["web"] == "running"
