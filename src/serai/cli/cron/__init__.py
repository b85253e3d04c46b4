"""`serai cron`: what agents do by themselves at their time (SPEC 9, 12)."""
