"""Runs (SPEC 11.5)."""
