"""`serai completion`: commands, options and ids on Tab (SPEC 12)."""

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS), metavar="SHELL")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes bash, zsh or fish complete commands, options, agents and sessions."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(ctx.find_root().command, {}, "serai", "_SERAI_COMPLETE").source())
