"""Images that are read or made when they are indexed, but can be used like an array."""

import weakref
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock

import numpy as np

from common.errors import InputError

Change = Callable[[np.ndarray], np.ndarray] | None


class LazyImages(ABC):
    """A read-only array (N, H, W, C) whose images are made when they are read.

    Indexing with an int, a slice or an array of row numbers gives a NumPy array.
    """

    ndim = 4
    dtype: np.dtype
    shape: tuple[int, ...]

    @abstractmethod
    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        """The images at an index, as an array of `dtype`."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, tuple) or index is None or index is Ellipsis:
            raise TypeError(f"{type(self).__name__} are indexed by image alone; index the result")
        return self.read(index)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{type(self).__name__} become an array only by a copy")
        return self[:].astype(dtype or self.dtype, copy=False)


class StoredImages:
    """The images (N, H, W, C) of an .npy file; a memory map would take up memory as it is read.

    Args:
        path: the file.
        checksums: the CRC-32 of each image, ints (N,), compared when it is first read. A file with
            another image is removed, for it is a cache that is made again.

    Raises:
        OSError, EOFError, ValueError: the file is missing, or is not a complete .npy file.
    """

    def __init__(self, path: str | Path, checksums: np.ndarray | None = None):
        header = np.load(path, mmap_mode="r", allow_pickle=False)
        self.path, self.dtype, self.shape = Path(path), header.dtype, header.shape
        self.checksums, self.unread = checksums, np.ones(self.shape[:1], bool)
        self.start, self.end = header.offset, header.offset + header.nbytes
        self.file = self.path.open("rb", buffering=0)
        weakref.finalize(self, self.file.close)
        self.lock = Lock()

    def __reduce__(self):
        return StoredImages, (self.path, self.checksums)

    def check_all(self) -> None:
        """Compare all checksums at once, which is faster than when the images are read.

        Raises:
            ValueError: an image is not what was written.
        """
        with self.lock:
            self.file.seek(self.start)
            pixels = memoryview(self.file.read(self.end - self.start))
        size = (self.end - self.start) // self.shape[0]
        found = [zlib.crc32(pixels[place : place + size]) for place in range(0, len(pixels), size)]
        if found != np.asarray(self.checksums).tolist():
            raise ValueError(f"{self.path} is not what was written")
        self.unread[:] = False

    def take(self, rows: np.ndarray) -> np.ndarray:
        """A copy of the images at `rows`, an int array of any shape: (*rows.shape, H, W, C).

        Raises:
            InputError: an image is not what was written.
        """
        images, numbers = np.empty((rows.size, *self.shape[1:]), self.dtype), rows.ravel().tolist()
        with self.lock:
            for image, row in zip(images, numbers, strict=True):
                self.file.seek(self.start + row * image.nbytes)
                if self.file.readinto(image.data) < image.nbytes:
                    raise InputError(f"{self.path} ends before its image {row}: make it again.")
        if self.checksums is not None:
            for place in np.flatnonzero(self.unread[numbers]):
                if zlib.crc32(images[place].data) != self.checksums[numbers[place]]:
                    with suppress(OSError):
                        self.path.unlink()
                    raise InputError(
                        f"Image {numbers[place]} in {self.path} is damaged, so the file was "
                        "removed. Start again: its images are decoded again."
                    )
            self.unread[numbers] = False
        return images.reshape(*rows.shape, *self.shape[1:])


class StoredRows(LazyImages):
    """Images that stay on disk: row n is image `rows[n]` of `images`, after `change` if given."""

    def __init__(self, images: StoredImages, rows: np.ndarray, change: Change = None):
        self.images, self.rows, self.change = images, rows, change
        self.dtype, self.shape = images.dtype, (len(rows), *images.shape[1:])

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        images = self.images.take(np.asarray(self.rows[index]))
        return images if self.change is None else self.change(images)

    def select(self, rows: np.ndarray, change: Change = None) -> "StoredRows":
        """The rows `rows` of these, still on disk, with another change if one is given."""
        return StoredRows(self.images, self.rows[rows], change or self.change)


class SampledImages(LazyImages):
    """Black and white images: a pixel is white with its grey level as the probability.

    Every reading draws new pixels, which a model cannot memorise (Burda et al. 2016, section 5;
    Salakhutdinov & Murray 2008). The same readings in the same order give the same images, and
    `begin_epoch` makes them those of an epoch.
    """

    def __init__(self, images: np.ndarray | LazyImages, seed: int):
        self.images = images
        self.dtype, self.shape = np.dtype(images.dtype), images.shape
        self.white = self.dtype.type(255 if self.dtype == np.uint8 else 1)
        self.seed, self.random = seed, np.random.default_rng(seed)

    def begin_epoch(self, epoch: int, *seeds: int) -> None:
        """Make the next readings those of an epoch, counted from 0, whatever was read before."""
        self.random = np.random.default_rng([self.seed, epoch + 1, *seeds])

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        grey = self.images[index]
        drawn = self.random.random(grey.shape, np.float32) * self.white < grey
        return drawn.astype(self.dtype) * self.white
