"""Jobs on disk: the files that people and agents write, who schedules them, what they run and leave (SPEC 9)."""
