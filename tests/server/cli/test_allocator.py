import subprocess
import sys

import pytest

# A large block, freed, lets glibc keep the next ones on its heap, where a small one above them holds them.
_SCRIPT = """
import psutil
from server.cli import allocator

if {given_back}:
    allocator.give_large_blocks_back()
bytearray(24 << 20)
large, small = [], []
for _ in range(40):
    large.append(bytearray(b"x") * (2 << 20))
    small.append(bytearray(2000))
large.clear()
print(psutil.Process().memory_info().rss >> 20)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="mallopt is glibc's")
def test_freed_large_blocks_go_back_to_the_system() -> None:
    def resident_mb(*, given_back: bool) -> int:
        script = _SCRIPT.format(given_back=given_back)
        return int(subprocess.run([sys.executable, "-c", script], check=True, capture_output=True).stdout)

    assert resident_mb(given_back=True) < resident_mb(given_back=False) - 20
