"""Who may come in, and from where (SPEC 11.1)."""
