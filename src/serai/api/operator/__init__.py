"""What operators read and do (SPEC 11.6)."""
