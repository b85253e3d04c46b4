"""The contract of chat platforms, a platform that plays one, and what drivers are tested with (DESIGN 5)."""
