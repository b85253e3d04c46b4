"""How long a test waits for what must come."""

from typing import Final

PATIENCE_S: Final = 60.0
"""Real seconds, and only to end a test that would hang for ever: no machine is so slow that it takes as long. What
has a limit is tested in virtual time, or by the best of several tries."""
