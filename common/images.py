"""The one place that scales images to [0, 1], and reading them a block at a time.

Keras is imported only for tensors, so that the command line, plots and evaluation do without it.
"""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from common.errors import InputError

# 64 MB in float32: larger blocks are no faster.
NUMBERS_AT_ONCE = 2**24


def unit_range(images: Any) -> Any:
    """Images as float32 in [0, 1]: uint8 is divided by 255, floats are only cast.

    Args:
        images: a NumPy array or a tensor of any shape.

    Raises:
        InputError: integers other than uint8, whose range is unknown.
    """
    # A PyTorch dtype has no name, and its str() is "torch.uint8".
    kind = getattr(images.dtype, "name", str(images.dtype)).removeprefix("torch.")
    if "int" in kind and kind != "uint8":
        raise InputError(f"Got images of {kind}; expected uint8 (0 to 255) or float (0 to 1).")
    scale = 255.0 if kind == "uint8" else 1.0
    if isinstance(images, np.ndarray):
        return np.divide(images, scale, dtype="float32")
    from keras import ops

    images = ops.cast(images, "float32")
    return images / scale if scale > 1 else images


class Rows:
    """A view of any array-like of images: rows in any order, as NumPy arrays of uint8 or float32.

    Big-endian numbers, and files that are read in increasing order only (HDF5), come out right.
    """

    def __init__(self, images: Any):
        self.images, self.shape = images, tuple(images.shape)
        self.dtype = np.dtype("uint8" if images.dtype == np.uint8 else "float32")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.read(index).astype(self.dtype, copy=False)

    def begin_epoch(self, epoch: int, *seeds: int) -> None:
        """Tell images that are drawn as they are read which epoch reads them."""
        if begin := getattr(self.images, "begin_epoch", None):
            begin(epoch, *seeds)

    def read(self, index: Any) -> np.ndarray:
        """The images at an index, as they are stored."""
        try:
            return np.asarray(self.images[index])
        except (TypeError, IndexError):
            if not isinstance(index, np.ndarray):
                raise
            rows, places = np.unique(index, return_inverse=True)
            return np.asarray(self.images[rows])[places]


class UnitRange(Rows):
    """A view of any array-like of images that scales what is taken out of it."""

    def __init__(self, images: Any):
        super().__init__(images)
        self.dtype = np.dtype("float32")

    def __getitem__(self, index: Any) -> np.ndarray:
        return unit_range(self.read(index))


def unit_batches(images: Any, most: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Images block by block: the slice that a block covers, and its images as float32 in [0, 1].

    Args:
        images: uint8 or floats in [0, 1], (N, H, W, C): an array, or any object with a shape whose
            slices are arrays.
        most: read only this many of the first images; None for all.
    """
    at_once = max(1, NUMBERS_AT_ONCE // prod(images.shape[1:]))
    # Models take 512 images at a time; a rest in every block would be compiled separately.
    at_once = at_once // 512 * 512 or at_once
    count = min(len(images), most or len(images))
    for start in range(0, count, at_once):
        rows = slice(start, min(start + at_once, count))
        yield rows, unit_range(np.asarray(images[rows]))
