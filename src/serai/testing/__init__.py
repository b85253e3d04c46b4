"""Fakes and contract suites for users' own tests."""
