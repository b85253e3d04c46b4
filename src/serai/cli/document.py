"""`--json`: the same objects and list envelope as the HTTP API (SPEC 16.3, 16.7)."""

from collections.abc import Iterable, Mapping
from typing import Any

import click

Document = Mapping[str, Any]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, as the HTTP API would give it.")


def listing(documents: Iterable[Document], *, more: bool = False, after: str | None = None) -> Document:
    """The envelope of a list. `after`: what to ask for next; `more`: there are further objects all the same."""
    return {"object": "list", "data": [*documents], "has_more": more or after is not None, "next": after}


def print_json(document: Document) -> None:
    """Prints one JSON document, two blanks deep, in UTF-8 as it is."""
    import json

    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
