"""Finding and asking plugins (SPEC 8)."""
