"""A message from a chat on its way in, and the commands that are said there."""
