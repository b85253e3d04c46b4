"""Chat completions (SPEC 11.3)."""
