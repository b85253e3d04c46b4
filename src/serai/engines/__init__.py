"""Engines: wake-ups, leases, broadcasts."""
