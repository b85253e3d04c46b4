"""Configuration: strict loading, secrets, edits that keep comments (SPEC 2)."""
