"""Jobs: what is due when, the claim of a slot, and what people do with jobs (SPEC 9)."""
