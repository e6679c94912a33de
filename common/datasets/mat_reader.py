"""MATLAB files as JSON, by SciPy, in a process of its own: `mat_files` starts it.

Usage: mat_reader.py PATH KEY [PATH KEY …]. For each it prints a line, {"rows": …} or {"error": …}.
"""

import json
import sys
from contextlib import suppress

import numpy as np
from scipy.io import loadmat

MEMORY = 4 << 30  # bytes


def limit() -> None:
    """Let a damaged file neither fill the memory nor leave a core dump."""
    # Windows has no such limits, and not every system sets them.
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def rows(array: object) -> list:
    """The elements of an array; records as dicts."""
    elements = np.atleast_1d(np.asarray(array)).ravel()
    if names := elements.dtype.names:
        return [{name: np.asarray(e[name]).tolist() for name in names} for e in elements]
    return elements.tolist()


if __name__ == "__main__":
    limit()
    for path, key in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
        try:
            answer = json.dumps({"rows": rows(loadmat(path, squeeze_me=True)[key])}, default=str)
        # SciPy raises almost any type for files that are damaged or of another kind.
        except Exception as error:
            answer = json.dumps({"error": str(error) or type(error).__name__})
        print(answer, flush=True)
