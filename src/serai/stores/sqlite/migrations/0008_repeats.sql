-- The schedule as a job's file has it, also while the job is disabled: its runs are counted since that changed.
ALTER TABLE job ADD COLUMN written TEXT NOT NULL DEFAULT '';
