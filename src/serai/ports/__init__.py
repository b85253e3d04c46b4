"""Protocols between the use cases and the outside, and the profile scope."""
