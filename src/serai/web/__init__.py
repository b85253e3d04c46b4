"""The web chat: its page, what the page calls, and the platform behind it (SPEC 6.7, 11.1, 13, 14)."""
