"""Text of strangers, made harmless for a terminal."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def one_line(text: str) -> str:
    """Text for a cell: whatever could move the cursor or reverse the line becomes a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def harmless(text: str) -> str:
    """Text of several lines without control characters, other than line ends and tabs."""
    return text.translate(_CONTROLS)


def without_credentials(url: str) -> str:
    """A URL as it may be shown: without user, password, query and fragment, each of which could be a secret."""
    from urllib.parse import urlsplit, urlunsplit

    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
