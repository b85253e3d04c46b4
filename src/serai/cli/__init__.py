"""The serai command."""
