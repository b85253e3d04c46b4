"""`serai delivery`: what was or will be sent (SPEC 5.5, 12)."""
