"""What a machine can hold, asked before it is tried."""

import os
from contextlib import suppress
from pathlib import Path

from common.errors import InputError

UNKNOWN = 64 << 30  # bytes that a system is taken to have which does not say


def require_memory(what: str, needed: int, advice: str) -> None:
    """Raise an `InputError` if `needed` bytes are more than the memory of this machine.

    Args:
        what: what needs them, as the beginning of the message.
        needed: bytes, any whole number.
        advice: what to do, as the end of the message.
    """
    if needed > (there := memory()):
        raise InputError(
            f"{what} needs {needed // 10**6:,} MB of memory, and this machine has "
            f"{there // 10**6:,} MB: {advice}."
        )


def memory() -> int:
    """The bytes of memory that this machine, or its container, has."""
    found = []
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf.
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(ValueError, OSError):
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(found, default=UNKNOWN)
