"""Out of memory in whatever words a library says it, told once with what to lower."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager

from finetune.errors import OutOfMemoryError

# torch raises RuntimeError on a CPU, and not only OutOfMemoryError (a RuntimeError) on a GPU.
_TEXTS = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory", "alloc_failed")


@contextmanager
def out_of_memory_told(advice: str) -> Generator[None]:
    """Raise OutOfMemoryError with `advice` where the block runs out of memory; other errors pass."""
    try:
        yield
    except (MemoryError, OSError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(advice) from error


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory was what failed: of Python, the operating system, torch on a CPU or a GPU."""
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = str(error).lower()
    return isinstance(error, MemoryError) or any(part in text for part in _TEXTS)
