"""Many images, in memory or on disk, a block at a time."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

# 64 MB in float32: larger blocks are no faster.
NUMBERS_AT_ONCE = 2**24


def unit_blocks(images: Any, most: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Where a block of the images (N, H, W, C), uint8 or in [0, 1], is, and it in [0, 1], float32.

    Args:
        images: an array, or anything of a shape whose slices are arrays.
        most: how many of the first images to go through; None for all.
    """
    at_once = max(1, NUMBERS_AT_ONCE // prod(images.shape[1:]))
    # The models take 512 at a time: a last batch of another size would be compiled for itself.
    at_once = at_once // 512 * 512 or at_once
    count = min(len(images), most or len(images))
    for start in range(0, count, at_once):
        rows = slice(start, min(start + at_once, count))
        block = np.asarray(images[rows])
        yield rows, np.divide(block, 255 if block.dtype == np.uint8 else 1, dtype=np.float32)
