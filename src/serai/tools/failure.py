"""What the model is told when the operating system refuses: a sentence, without a path of the host."""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from serai.core.error import ToolFailed

_SENTENCES: Final[Mapping[int, str]] = {
    errno.EACCES: "`{}` cannot be used: permission denied",
    errno.EDQUOT: "`{}` was not written: the disk quota is used up",
    errno.EFBIG: "`{}` was not written: the system allows no larger files",
    errno.EISDIR: "`{}` is a folder",
    errno.ELOOP: "`{}` leads through too many links, or through one that changed meanwhile",
    errno.EMFILE: "`{}` cannot be opened now: too many files are open; try again later",
    errno.ENAMETOOLONG: "`{}` is too long a name",
    errno.ENFILE: "`{}` cannot be opened now: too many files are open; try again later",
    errno.ENOENT: "`{}` does not exist",
    errno.ENOSPC: "`{}` was not written: the disk is full",
    errno.ENOTDIR: "`{}` leads through something that is no folder",
    errno.EPERM: "`{}` cannot be used: permission denied",
    errno.EROFS: "`{}` was not written: the file system is read-only",
}


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turns an OSError of the block into a ToolFailed about `name`, the word that the model has for the file."""
    try:
        yield
    except OSError as error:
        raise ToolFailed(sentence(error, name)) from error


def sentence(error: OSError, name: str) -> str:
    """What went wrong with the file that the model knows as `name`."""
    known = _SENTENCES.get(error.errno or 0)
    if known is None:
        return f"`{name}` cannot be used: {os.strerror(error.errno) if error.errno else 'input or output failed'}"
    return known.format(name)
