"""Serai: one gateway process that hosts many isolated AI agents."""

__version__ = "0.1.0"
