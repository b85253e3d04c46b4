"""The HTTP API (SPEC 11)."""
