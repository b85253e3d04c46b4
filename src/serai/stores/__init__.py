"""Stores: the gateway's truth in a database."""
