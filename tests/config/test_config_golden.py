"""Every file in golden/ is a config.yaml above a line `---- expected`, and what comes of loading it below.

Comments at the top of the input fill the home and the environment: `# environment: NAME=value`, `# .env: NAME=value`,
`# agents/ops/.env: NAME=value`. After a wanted change, `python tests/config/test_config_golden.py` writes the lower
halves anew; read the difference before you keep it.
"""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from pydantic import BaseModel

from serai.config.load import Loaded, load
from serai.core.profile import AgentProfile, Endpoint
from serai.core.snapshot import AccountSettings, ApiKey, ApiSettings, Problem, Snapshot

GOLDEN = Path(__file__).parent / "golden"
LINE = "---- expected\n"
SETTING = re.compile(r"^# (\S+): (\w+=.*)$", re.MULTILINE)


class WebhookKeys(BaseModel):
    secret_env: str
    callback_url: str
    timeout: int = 30


class TelegramKeys(BaseModel):
    token_env: str = "TELEGRAM_TOKEN"
    ports: list[int] = []
    strict: bool = False


PLATFORMS: dict[str, type[BaseModel]] = {"webhook": WebhookKeys, "telegram": TelegramKeys}
TOOLSETS = ("memory", "files")


def loaded(text: str, home: Path) -> Loaded:
    environment = {"HOME": "/home/ada", "TZ": "UTC"}
    for where, assignment in SETTING.findall(text):
        if where == "environment":
            environment |= dict([assignment.split("=", 1)])
        else:
            path = home / where
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a") as file:
                file.write(f"{assignment}\n")
            path.chmod(0o600)
    (home / "config.yaml").write_text(text)
    return load(home, environment, PLATFORMS, TOOLSETS)


def rendered(result: Loaded) -> str:
    """A loading's result as text: the problems, then everything in the snapshot that is not as usual."""
    lines = [_problem(one) for one in result.problems]
    lines.extend(f"notice: {one}" for one in result.notices)
    if result.needs_local:
        lines.append("needs a local model")
    if result.snapshot is None:
        lines.append("no snapshot")
    else:
        lines.extend(_snapshot(result.snapshot, result))
    return "".join(f"{line}\n" for line in lines)


def _problem(problem: Problem) -> str:
    whom = f"{problem.scope} {problem.subject}" if problem.subject else problem.scope
    return f"problem of {whom}: {problem}"


def _snapshot(snapshot: Snapshot, result: Loaded) -> Iterator[str]:
    if snapshot.gateway_model:
        yield f"gateway model: {_endpoint(snapshot.gateway_model)}"
    for profile in snapshot.agents.values():
        yield from _agent(profile, result, snapshot.home)
    for route in snapshot.routes.routes:
        match = {key: sorted(values) for key, values in route.match.items()}
        yield (
            f"route {route.number} (line {route.line}): {match} -> {route.agent}"
            + " inherited" * route.inherit_threads
        )
    for account in snapshot.accounts.values():
        yield from _account(account, result)
    yield from _api(snapshot.api, result)
    usual = Snapshot("", snapshot.home, {}, snapshot.routes, toolsets=frozenset(TOOLSETS))
    shown = {"revision", "home", "agents", "routes", "accounts", "api", "gateway_model", "problems"}
    for field in fields(Snapshot):
        value = getattr(snapshot, field.name)
        if field.name not in shown and value != getattr(usual, field.name):
            yield f"{field.name}: {sorted(value) if isinstance(value, frozenset) else value}"


def _agent(profile: AgentProfile, result: Loaded, home: Path) -> Iterator[str]:
    place = profile.home.relative_to(home) if profile.home.is_relative_to(home) else profile.home
    yield f"agent {profile.id}: home {place}, toolsets {', '.join(sorted(profile.toolsets)) or 'none'}" + (
        f", max_turns {profile.max_turns}" if profile.max_turns else ""
    )
    for model in profile.models:
        value = f" = {result.secrets.get(profile.id, model.key_name)}" if model.key_name else ""
        yield f"  model {_endpoint(model)}{value}"
    if profile.refusal:
        yield f"  refuses: {profile.refusal}"
    if profile.schedules:
        yield f"  schedules off: {profile.schedules}"


def _endpoint(endpoint: Endpoint) -> str:
    key = f"key {endpoint.key_name}" if endpoint.key_name else "no key"
    return f"{endpoint.name} at {endpoint.base_url} ({endpoint.provider}, from {endpoint.origin}), {key}"


def _account(account: AccountSettings, result: Loaded) -> Iterator[str]:
    yield f"account {account.account}: {dict(account.settings)}"
    access = account.access
    yield f"  open {access.open}, users {sorted(access.allow_users)}, chats {sorted(access.allow_chats)}"
    if (home := account.home_chat) is not None:
        yield f"  home chat {home.chat_id}, thread {home.thread_id}"
    if account.refusal:
        yield f"  refuses: {account.refusal}"


def _api(api: ApiSettings, result: Loaded) -> Iterator[str]:
    for field in fields(ApiSettings):
        value = getattr(api, field.name)
        if field.name != "keys" and value != field.default:
            yield f"api {field.name}: {sorted(value) if isinstance(value, frozenset) else value}"
    for key in api.keys:
        yield f"api key {_key(key)} = {result.secrets.get(None, key.secret_name)}"


def _key(key: ApiKey) -> str:
    agents = "all agents" if key.agents is None else f"agents {sorted(key.agents)}"
    return f"{key.name}: {agents}{', admin' if key.admin else ''}, {key.secret_name}"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_gives_exactly_the_expected_result(path: Path, tmp_path: Path) -> None:
    text, expected = path.read_text().split(LINE)
    assert rendered(loaded(text, tmp_path)) == expected


if __name__ == "__main__":
    for path in sorted(GOLDEN.glob("*.yaml")):
        text = path.read_text().split(LINE)[0]
        with tempfile.TemporaryDirectory() as home:
            path.write_text(text + LINE + rendered(loaded(text, Path(home))))
