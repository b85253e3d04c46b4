"""What a command raises when it could not do what was asked."""

from serai.core.error import SeraiError


class Failed(SeraiError):
    """The command ends with exit code 1 and this sentence on stderr."""


class NotRunning(Failed):
    """No gateway runs for this SERAI_HOME."""
