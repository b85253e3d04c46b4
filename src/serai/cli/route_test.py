"""`serai route test`: which agent a message would reach, and why (SPEC 4.6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from serai.cli.document import json_option, print_json
from serai.cli.place import Place


@click.command("test")
@click.option("--platform", required=True, metavar="NAME")
@click.option("--account", metavar="NAME", help="The platform's account  [default]")
@click.option("--chat-id", metavar="ID")
@click.option("--chat-type", type=click.Choice(("dm", "group", "channel", "thread")))
@click.option("--thread-id", metavar="ID")
@click.option("--topic-id", metavar="ID")
@click.option("--user-id", metavar="ID")
@click.option("--user-id-alt", metavar="ID")
@click.option("--guild-id", metavar="ID")
@click.option("--parent-chat-id", metavar="ID")
@click.option("--role", "roles", metavar="ID", multiple=True, help="A role of the sender; may be repeated.")
@json_option
@click.pass_obj
def test(place: Place, /, as_json: bool, **fields: Any) -> None:
    """Tell which agent a message would reach, and why. Nothing is sent."""
    from serai.cli.route_explain import explain

    document = explain(place, {name: value for name, value in fields.items() if value})
    if as_json:
        print_json(document)
    else:
        _print_explanation(document)


def _print_explanation(document: Mapping[str, Any]) -> None:
    from serai.cli.table import print_fields, print_table

    fields = [("agent", document["agent"]), ("because", _because(document))]
    if document["refused"]:
        fields.append(("refused", document["refused"]))
    print_fields(fields)
    tried = [
        (
            str(entry["route"]),
            str(entry["line"] or ""),
            entry["agent"],
            f"{entry['failed']} is {_values(entry['got']) or 'absent'}, wanted {_values(entry['wanted'])}",
        )
        for entry in document["considered"]
    ]
    if tried:
        click.echo("\nRoutes tried before")
        print_table(("#", "line", "agent", "did not match"), tried, right=("#", "line"))


def _because(document: Mapping[str, Any]) -> str:
    """Why that agent, in words; also which route something else won over."""
    route = document["route"] and f"route {document['route']} (config.yaml:{document['line']})"
    match document["reason"]:
        case "route":
            return f"{route} matches"
        case "default":
            return "no route matches, and it is the default agent"
        case "stamped":
            return "the message names it"
        case reason:
            chosen = f"plugin `{document['plugin']}` chose it" if reason == "hook" else "this chat is bound to it"
            return f"{chosen}, over {route}" if route else chosen


def _values(values: Sequence[str]) -> str:
    return " or ".join(values)
