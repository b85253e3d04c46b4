"""People are asked whether a tool may run, and answer."""
