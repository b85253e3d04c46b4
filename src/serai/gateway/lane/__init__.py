"""Conversations: one turn after another in each, in fair shares of the process."""
