"""Platform drivers; each a stranger to the others."""
