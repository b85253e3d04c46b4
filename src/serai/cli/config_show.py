"""`serai config show`: the configuration in force (SPEC 12)."""

import click

from serai.cli.document import json_option, print_json
from serai.cli.place import Place


@click.command("show")
@json_option
@click.pass_obj
def show(place: Place, as_json: bool) -> None:
    """Print the configuration in force, with defaults filled in. Secrets appear by name alone."""
    import yaml  # type: ignore[import-untyped]

    from serai.cli.effective import effective
    from serai.cli.written import WrittenModels

    document = effective(place.snapshot(), WrittenModels(place.layout.config))
    if as_json:
        print_json(document)
    else:
        click.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=4096), nl=False)
