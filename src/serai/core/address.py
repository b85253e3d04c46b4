"""Addresses as they may be shown."""

from urllib.parse import urlsplit, urlunsplit


def without_credentials(url: str) -> str:
    """A URL as it may be shown: without user, password, query and fragment, each of which could be a secret.

    >>> without_credentials("https://ada:fake-password@host:1/v1?key=fake#x")
    'https://host:1/v1'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
