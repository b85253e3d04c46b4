"""Nouns and pure functions. No asyncio, clock, randomness, os or logging in here."""
