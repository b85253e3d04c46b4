"""Use cases: intake, resolver, lanes, turn, outbox, supervisor."""
