"""Jobs on disk: reading, writing, owners, output, scripts."""
