"""Jobs (SPEC 9, 11.6)."""
