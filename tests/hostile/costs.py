"""What a piece of work costs this process: processor time, and memory at its peak."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1024 * 1024

_STATUS = Path("/proc/self/status")
_HIGH, _NOW = re.compile(r"VmHWM:\s*(\d+) kB"), re.compile(r"VmRSS:\s*(\d+) kB")


@dataclass(slots=True)
class Cost:
    """Processor time in seconds, and by how many bytes the process grew at most."""

    cpu_seconds: float = 0.0
    grown_by: int = 0


@contextlib.contextmanager
def measured() -> Iterator[Cost]:
    """The cost of what is done meanwhile, known at the end; memory is told on Linux only."""
    cost = Cost()
    before = _forget_peak()
    began = time.process_time()
    yield cost
    cost.cpu_seconds = time.process_time() - began
    cost.grown_by = max(0, _bytes(_HIGH) - before)


def peak_bytes() -> int:
    """The most memory that this process has had so far."""
    return _bytes(_HIGH)


def _forget_peak() -> int:
    """Have the kernel count the peak anew; how much memory there is now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _bytes(_NOW)


def _bytes(field: re.Pattern[str]) -> int:
    found = field.search(_STATUS.read_text()) if _STATUS.exists() else None
    return int(found[1]) * 1024 if found else 0
