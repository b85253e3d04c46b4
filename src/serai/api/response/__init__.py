"""Responses and conversations (SPEC 11.4)."""
