"""How Python and the C library keep memory: a server starts fast and does not hold on to what it freed."""

from __future__ import annotations

import ctypes
import gc

# Of glibc's malloc.h.
_M_MMAP_THRESHOLD = -3
_LARGE_BLOCK_BYTES = 1 << 20
# New objects before a collection; Python's own 700 is for small programs.
_YOUNG_OBJECTS = 50_000
_YOUNG_OBJECTS_AFTER_START = 5_000


def collect_rarely() -> None:
    """Look for cycles after more new objects than Python's default.

    Imports make about a million objects that stay: looking through them again and again was a seventh of the time until
    the server is ready.
    """
    gc.set_threshold(_YOUNG_OBJECTS)


def give_large_blocks_back() -> None:
    """From now on a freed block of 1 MiB or more goes back to the system at once; nothing happens without glibc.

    glibc raises the bound by itself up to 32 MiB as such blocks are freed, and then keeps them on its heaps: about
    20 MB after a first extraction.
    """
    if (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK_BYTES)


def settle() -> None:
    """After the start: what is loaded by now stays; what loading needed goes back to the system."""
    gc.collect()
    # Full collections need not walk through all of it again, which stopped every run for 0.2 s.
    gc.freeze()
    # Garbage in cycles is kept until then: some 10 MB for ten times as many objects.
    gc.set_threshold(_YOUNG_OBJECTS_AFTER_START)
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:
        # glibc keeps freed memory, here about 50 MB, for itself.
        trim(0)
