"""`serai setup` itself."""

from typing import IO, TYPE_CHECKING, Any

import click

from serai.cli.failure import Failed
from serai.cli.place import Place
from serai.cli.suggest import agents

if TYPE_CHECKING:
    from serai.cli.setup.given import Given
    from serai.cli.setup.model import Chosen


@click.command("setup")
@click.argument("platform", required=False)
@click.option("--account", metavar="NAME", default="default", help="Of a platform: the account's name.")
@click.option("--set", "given_settings", metavar="KEY=VALUE", multiple=True, help="Of a platform: a setting.")
@click.option(
    "--secret", "given_secrets", metavar="KEY=FILE", multiple=True, help="Of a platform: a secret's value, in a file."
)
@click.option("--allow-user", metavar="ID", multiple=True, help="Of a platform: who may write to the agents.")
@click.option("--provider", metavar="NAME", help="Who serves the model, such as openai.")
@click.option("--model", metavar="NAME", help="The model's name.")
@click.option("--base-url", metavar="URL", help="An OpenAI-compatible endpoint.")
@click.option("--api-key-env", metavar="NAME", help="The NAME of the variable that holds the key, never the key.")
@click.option(
    "--api-key-file",
    metavar="FILE",
    type=click.File(encoding="utf-8", errors="replace"),
    help="Read the key here; `-` is standard input.",
)
@click.option("--local", is_flag=True, help="Take the model server that answers on this machine.")
@click.option("--embedded", is_flag=True, help="Take the embedded demo model, and fetch it where it is missing.")
@click.option("--keep", is_flag=True, help="Keep the model that is configured.")
@click.option("--agent", metavar="ID", shell_complete=agents, help="The first agent  [main]")
@click.option("--persona", metavar="TEXT", help="Who it is, in a sentence or two.")
@click.option("--no-test", is_flag=True, help="Do not call the model.")
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is left to the defaults.")
@click.pass_obj
def setup(
    place: Place,
    /,
    platform: str | None,
    account: str,
    given_settings: tuple[str, ...],
    given_secrets: tuple[str, ...],
    allow_user: tuple[str, ...],
    api_key_file: IO[str] | None,
    no_test: bool,
    **options: Any,
) -> None:
    """Choose a model, try it, and begin a first agent; or, with PLATFORM, connect a chat platform.

    It can be run again: what is there stays.

    Keys go into .env, settings into config.yaml, whose comments stay. Nothing is written before the model answered.
    """
    if platform is not None:
        from serai.cli.setup.platform import Wanted, set_up

        secrets = {key: _content(path) for key, path in map(_pair, given_secrets)}
        people = tuple(allow_user)
        settings = dict(map(_pair, given_settings))
        set_up(place, Wanted(platform, account, settings, secrets, people, not no_test, options["yes"]))
        return
    from serai.cli.agent_add import check_id
    from serai.cli.setup.agent import begin
    from serai.cli.setup.given import Given
    from serai.cli.setup.model import choose
    from serai.config.layout import prepare

    key = api_key_file.read().strip() if api_key_file else None
    given = Given(api_key=key, test=not no_test, **options)
    if sum([given.names_endpoint, given.local, given.embedded, given.keep]) > 1:
        raise click.UsageError("Choose one: --provider or --base-url, --local, --embedded, --keep.")
    if given.agent is not None:
        check_id(given.agent)
    snapshot = place.snapshot()
    prepare(place.layout)
    chosen = choose(place, snapshot, given)
    if chosen.endpoint is None:
        _fetch(place)
    if given.test:
        _try(place, chosen, given)
    _write(place, chosen)
    profile = begin(place, place.snapshot(), given)
    _tell(place, profile.id)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise click.UsageError(f"`{text}` must be KEY=VALUE.")
    return key, value


def _content(path: str) -> str:
    """A secret from a file; `-` is standard input."""
    try:
        with click.open_file(path, encoding="utf-8") as file:
            return str(file.read()).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise click.UsageError(f"{path} cannot be read: {reason}") from error


def _fetch(place: Place) -> None:
    """The embedded model's weights, where they are missing. Raises WeightsError, Failed."""
    from importlib.util import find_spec

    from serai.cli.model_pull import fetch
    from serai.models.weights import find

    if find_spec("xllamacpp") is None:
        raise Failed("The embedded model needs xllamacpp: pip install 'serai[local]'")
    if find(place.home) is None:
        fetch(place)


def _try(place: Place, chosen: "Chosen", given: "Given") -> None:
    """Calls the model. Raises what the call raises, unless the person goes on all the same."""
    from serai.cli.printable import one_line
    from serai.cli.setup.trial import answer
    from serai.core.error import SeraiError

    click.echo("Trying the model ...", err=True)
    try:
        said = answer(place, chosen)
    except SeraiError as error:
        if given.yes:
            raise Failed(f"Nothing was written, because the model did not answer: {error}") from error
        click.echo(f"It did not answer: {error}", err=True)
        click.confirm("Go on all the same?", abort=True)
    else:
        click.echo(f"It answers: {one_line(said)[:100]}")


def _write(place: Place, chosen: "Chosen") -> None:
    from serai.cli.change import change
    from serai.config.dotenv_edit import set_variable

    endpoint = chosen.endpoint
    if chosen.key_is_new and chosen.key and endpoint is not None and endpoint.key_name:
        set_variable(place.layout.env, endpoint.key_name, chosen.key)
        click.echo(f"The key is in {place.shown(place.layout.env)}, as {endpoint.key_name}.")
    if not chosen.keep:
        change(place, lambda file: file.set_model(chosen.settings))
        name = endpoint.name if endpoint else "the embedded model"
        click.echo(f"The agents use {name}.")


def _tell(place: Place, agent: str) -> None:
    from serai.cli.gateway import is_running
    from serai.cli.invoked import invoked

    start = "" if is_running(place.layout.lock) else f"`{invoked()} up` in one terminal, then "
    click.echo(f"Ready. Next: {start}`{invoked()} chat --agent {agent}`.")
