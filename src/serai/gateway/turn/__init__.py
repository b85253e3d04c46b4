"""One turn, from its claim to its committed end."""
