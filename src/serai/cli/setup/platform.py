"""`serai setup PLATFORM`: an account of a chat platform, from its manifest alone."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from serai.cli.failure import Failed
from serai.cli.place import Place

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_SECRET = "_env"
"""How the settings end that name the variable of a secret."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line says. `given` are settings by their keys, `secrets` values by the settings that name
    their variables. `yes`: nothing is asked."""

    platform: str
    account: str
    given: Mapping[str, str]
    secrets: Mapping[str, str]
    people: tuple[str, ...]
    test: bool
    yes: bool


def set_up(place: Place, wanted: Wanted) -> None:
    """Explains the platform's console, asks for what is needed, writes .env and config.yaml, tries the credentials.

    Raises Failed, EditError.
    """
    from serai.app.platforms import Manifests, Schemas
    from serai.cli.change import change
    from serai.cli.nearest import hint
    from serai.config.dotenv_edit import set_variable
    from serai.config.layout import prepare
    from serai.core.ids import Account

    snapshot = place.snapshot()
    prepare(place.layout)
    manifests = Manifests(place.layout.plugins, snapshot.plugins)
    if wanted.platform not in manifests:
        why = manifests.why_not(wanted.platform)
        said = f": {why}." if why else hint(wanted.platform, list(manifests))
        raise Failed(f"There is no platform `{wanted.platform}`{said}")
    account = Account(wanted.platform, wanted.account)
    if account in snapshot.accounts:
        files = f"{place.shown(place.layout.config)} and {place.shown(place.layout.env)}"
        raise Failed(
            f"The account `{account}` is configured already: change it in {files}, and look again with"
            " `serai doctor`; or connect another one with --account NAME."
        )
    manifest = manifests[wanted.platform]
    click.echo(f"{manifest.TITLE}:")
    for number, step in enumerate(manifest.STEPS, 1):
        click.echo(f"  {number}. {step}")
    schema = Schemas(place.layout.plugins, snapshot.plugins)[wanted.platform]
    settings, secrets = _settings(place, schema, wanted)
    settings |= _people(wanted)
    with _taken_back(place.layout.env):
        for name, value in secrets.items():
            set_variable(place.layout.env, name, value)
        change(place, lambda file: file.add_account(wanted.platform, wanted.account, settings))
    for name in secrets:
        click.echo(f"The value of {name} is in {place.shown(place.layout.env)}.")
    click.echo(f"The account is in {place.shown(place.layout.config)}.")
    if wanted.test:
        _try(place, wanted)


@contextmanager
def _taken_back(env: Path) -> Iterator[None]:
    """Puts .env back where the account is refused: a value that stayed would be taken the next time, unasked."""
    from serai.config.edit import EditError
    from serai.config.replace import locked, write

    old = env.read_bytes() if env.exists() else None
    try:
        yield
    except (Failed, EditError):
        with locked(env.parent):
            if old is None:
                env.unlink(missing_ok=True)
            else:
                write(env, old)
        raise


def _settings(place: Place, schema: "type[BaseModel]", wanted: Wanted) -> tuple[dict[str, object], dict[str, str]]:
    """The account's own settings, and values of variables that have still to be written. Raises Failed."""
    settings: dict[str, object] = {}
    secrets: dict[str, str] = {}
    fields = {field.alias or name: field for name, field in schema.model_fields.items()}
    for key in (*wanted.given, *wanted.secrets):
        if key not in fields:
            raise Failed(f"{wanted.platform} has no setting `{key}`; there are {', '.join(fields)}")
    for key, field in fields.items():
        value = wanted.given.get(key)
        if key.endswith(_SECRET):
            name = value or _variable(wanted, key)
            known = _known(place, name)
            secret = wanted.secrets.get(key) or (None if known else _secret(wanted, key, field))
            if secret or known or value:
                settings[key] = name
            if secret:
                secrets[name] = secret
        elif value is None and field.is_required():
            settings[key] = _plain(_asked(wanted, key, field))
        elif value is not None:
            settings[key] = _plain(value)
    return settings, secrets


def _secret(wanted: Wanted, key: str, field: "FieldInfo") -> str | None:
    """The value of a secret, typed unseen. None where it is not needed, and not given."""
    if wanted.yes:
        if field.is_required():
            raise Failed(f"The value for `{key}` is missing: give --secret {key}=FILE.")
        return None
    words = field.description or key.removesuffix(_SECRET)
    default = None if field.is_required() else ""
    value: str = click.prompt(words, hide_input=True, default=default, show_default=False)
    return value.strip() or None


def _asked(wanted: Wanted, key: str, field: "FieldInfo") -> str:
    if wanted.yes:
        raise Failed(f"`{key}` is missing: give --set {key}=VALUE.")
    value: str = click.prompt(field.description or key)
    return value.strip()


def _people(wanted: Wanted) -> dict[str, object]:
    """Who may write: those who are named; else whoever is admitted by a code."""
    people = list(wanted.people)
    if not people and not wanted.yes:
        said: str = click.prompt(
            "Your id there, to be allowed at once (empty: a code will be asked for)", default="", show_default=False
        )
        people = [said.strip()] if said.strip() else []
    return {"allow_users": people} if people else {"pairing": True}


def _variable(wanted: Wanted, key: str) -> str:
    """The variable of a secret.

    >>> _variable(Wanted("chatter", "work", {}, {}, (), True, True), "bot_token_env")
    'CHATTER_WORK_BOT_TOKEN'
    """
    account = "" if wanted.account == "default" else f"_{wanted.account}"
    return f"{wanted.platform}{account}_{key.removesuffix(_SECRET)}".replace("-", "_").upper()


def _known(place: Place, name: str) -> bool:
    """Whether the variable has a value already."""
    from serai.config.dotenv import read_env
    from serai.config.report import Place as Anywhere
    from serai.config.report import Report
    from serai.config.secret import Found, Lookup

    env = place.layout.env
    return isinstance(Lookup(read_env(env, env.name, Anywhere(), Report(), []), place.environment).find(name), Found)


def _plain(text: str) -> Any:
    """What somebody typed, as the value that it looks like in YAML: a number, a truth, a list in brackets, a text."""
    from serai.config.document import parse
    from serai.config.node import plain

    root = parse(text).root
    return text if root is None else plain(root)


def _try(place: Place, wanted: Wanted) -> None:
    """Asks the platform. Raises Failed where something is wrong; what was written stays."""
    failures = list(_failures(place, wanted))
    for text in failures:
        click.echo(text, err=True)
    if failures:
        raise Failed("Mend that, then look again with `serai doctor`.")
    click.echo("Ready. A running gateway connects it within three seconds.")


def _failures(place: Place, wanted: Wanted) -> Iterator[str]:
    from serai.cli.trying import tried
    from serai.core.ids import Account

    loaded = place.load()
    account = Account(wanted.platform, wanted.account)
    settings = loaded.snapshot.accounts.get(account) if loaded.snapshot else None
    if loaded.snapshot is None or settings is None or settings.refusal is not None:
        yield settings.refusal if settings and settings.refusal else "The account cannot be used."
        return
    for one in asyncio.run(tried(place.layout, loaded.snapshot, loaded.secrets, settings)):
        if one.ok:
            click.echo(f"Fine: {one.text}")
        else:
            yield f"Wrong: {one.text}" + (f"  ->  {one.mend}" if one.mend else "")
