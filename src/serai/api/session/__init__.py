"""Stored sessions (SPEC 11.6)."""
