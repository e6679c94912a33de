"""What a benchmark ran on: processor, versions, and how fast it multiplies matrices."""

import importlib.metadata
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "numpy")
SIDE = 2048


def matrix_product_peak(dtype: str = "float32") -> float:
    """The most floating-point operations a second of products of 2048×2048 matrices.

    Args:
        dtype: "float32", in NumPy; or "bfloat16", in PyTorch and a process of its own.
    """
    if dtype == "bfloat16":
        command = [sys.executable, __file__]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    matrix = np.random.default_rng(0).random((SIDE, SIDE), "float32")
    return _peak(lambda: matrix @ matrix)


def has_bfloat16() -> bool:
    """Whether the processor has instructions for bfloat16; others emulate it, far slower."""
    return any(flag in _cpuinfo() for flag in ("avx512_bf16", "amx_bf16"))


def processor() -> str:
    """The processor's name and the number of cores this process may use."""
    models = [s for s in _cpuinfo().splitlines() if s.startswith("model name")]
    name = models[0].split(":")[1].strip() if models else platform.processor()
    return f"{name or platform.machine()}, {len(os.sched_getaffinity(0))} cores"


def keep_two_cores() -> None:
    """Run this process, and those that it starts, on two cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])


def versions() -> str:
    """Python's version and those of the packages that are installed."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _peak(multiply: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        multiply()
        times.append(time.perf_counter() - start)
    return 2 * SIDE**3 / min(times)


if __name__ == "__main__":
    import torch

    matrix = torch.rand(SIDE, SIDE).bfloat16()
    print(_peak(lambda: matrix @ matrix))
