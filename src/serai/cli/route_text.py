"""Routes as one line of text."""

from serai.core.route import Route


def match_text(route: Route) -> str:
    """`platform=discord chat_id=100|200`, as `serai route add` takes it, one value of a list after another."""
    text = " ".join(f"{key}={'|'.join(sorted(wanted))}" for key, wanted in route.match.items())
    return f"{text} (and its threads)" if route.inherit_threads else text
