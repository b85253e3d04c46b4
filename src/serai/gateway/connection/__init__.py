"""The accounts' connections to their platforms."""
