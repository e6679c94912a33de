"""Images that stay on disk and are read row by row."""

import os
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Self

import numpy as np

from common.datasets.lazy import LazyImages


class StoredImages:
    """The images (N, H, W, C) of an .npy file.

    Raises:
        OSError, EOFError, ValueError: there is no such file, or it is no whole .npy file.
    """

    def __init__(self, path: Path):
        self.path = path
        self.map = np.load(path, mmap_mode="r", allow_pickle=False)
        self.dtype, self.shape = self.map.dtype, self.map.shape
        self.descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self.descriptor)

    def __reduce__(self):
        return StoredImages, (self.path,)

    def take(self, rows: np.ndarray) -> np.ndarray:
        """A copy of the images at `rows`, an int array of any shape, which comes first."""
        if not hasattr(os, "preadv"):
            return np.asarray(self.map).take(rows, axis=0)
        # Pages of a memory map that were read count as this process's memory; and for images in
        # random order they are slower to come by.
        images = np.empty((*rows.shape, *self.shape[1:]), self.dtype)
        size = self.map.nbytes // len(self.map)
        flat = images.reshape(-1, *self.shape[1:])
        for image, row in zip(flat, rows.ravel().tolist(), strict=True):
            if os.preadv(self.descriptor, [image], self.map.offset + row * size) < size:
                raise OSError(f"{self.path} ends before its image {row}")
        return images


class Rows(LazyImages):
    """Images that are on disk.

    Row n is image `rows[n]` of `images`. The `changes` are applied to what is read, in their order.
    """

    def __init__(
        self,
        images: StoredImages,
        rows: np.ndarray,
        changes: tuple[Callable[[np.ndarray], np.ndarray], ...] = (),
    ):
        self.images = images
        self.rows = rows
        self.changes = changes
        self.dtype = images.dtype
        self.shape = (len(rows), *images.shape[1:])

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        """The images at an index, from disk, changed."""
        images = self.images.take(np.asarray(self.rows[index]))
        for change in self.changes:
            images = change(images)
        return images

    def select(self, rows: np.ndarray, *changes: Callable[[np.ndarray], np.ndarray]) -> Self:
        """The rows `rows` of these, still on disk, with further changes."""
        return type(self)(self.images, self.rows[rows], self.changes + changes)


def drawn_split(count: int, test_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers 0 … count - 1 in a drawn order, as those of training and those of test.

    At least one of two or more is on either side.
    """
    rows = np.random.default_rng(seed).permutation(count)
    num_test = min(max(1, round(count * test_fraction)), count - 1)
    return rows[num_test:], rows[:num_test]
