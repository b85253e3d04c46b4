"""Text of strangers, made harmless for a terminal."""

_DIRECTIONS = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Signs that reverse what follows them, so that it reads as something else (Unicode Standard Annex 9)."""

_CONTROLS = {code: None for code in (*range(32), *range(127, 160), *_DIRECTIONS) if chr(code) not in "\n\t"}


def one_line(text: str) -> str:
    """Text for a cell: whatever could move the cursor or reverse the line becomes a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def harmless(text: str) -> str:
    """Text of several lines without control characters, other than line ends and tabs, and without those
    that reverse a line."""
    return text.translate(_CONTROLS)
