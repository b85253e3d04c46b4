"""The signed webhook platform (SPEC 13.1)."""
