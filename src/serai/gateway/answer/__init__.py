"""An answer on its way to people: shown while it is written, told at its end."""
