"""Images decoded once, into an array on disk.

A cache is one file in `zoo-cache` in Keras's cache: an .npy array, the CRC-32 of each image, JSON
that says which files the images are from, and the CRC-32 of all but the images. One renaming puts
all in place.
"""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import struct
import time
import uuid
import warnings
import zlib
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np

from common.datasets.base import Split
from common.datasets.files import keras_home, path_text
from common.datasets.lazy_arrays import StoredImages, StoredRows
from common.datasets.limits import require_memory
from common.datasets.photos.decoding import BLOCK, Box, Decoding, decode, decoded
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError
from common.files import took_lock

FORMAT = 2  # Raise it when the same files give other pixels, or another list of files.
ABANDONED = 3600  # seconds after which a file without a lock has no writer any more
QUICK = 32 << 20  # bytes of images that are all checked at the start
THREADS = 32  # that decode, at most


@dataclass(frozen=True)
class CachedImages:
    """Decoded images and the files they are from.

    Attributes:
        content: digest of the files' names, sizes and times, and of which could be read.
        images: uint8 (N, H, W, C), on disk.
        names: of the N files, in the order of the source.
        unreadable: the other files by name, and what is wrong with them.
    """

    content: str
    images: StoredImages
    names: list[str]
    unreadable: dict[str, str]

    @classmethod
    def open(cls, path: Path) -> Self:
        """The cache in a file; an error of almost any type if it is damaged."""
        images = StoredImages(path)
        with path.open("rb") as file:
            header = file.read(images.start)
            file.seek(images.end)
            rest = file.read()
        if zlib.crc32(rest[:-4], zlib.crc32(header)) != struct.unpack("<I", rest[-4:])[0]:
            raise ValueError(f"{path} is not what was written")
        checksums = np.frombuffer(rest, "<u4", images.shape[0])
        images = StoredImages(path, checksums)
        notes = json.loads(rest[checksums.nbytes : -4])
        if images.end < QUICK:
            images.check_all()
        content = _hash(path.stem.rpartition("-")[2], "\0".join(notes["names"]))[:16]
        return cls(content, images, notes["names"], notes["unreadable"])

    def split(self, *rows: np.ndarray, labels: np.ndarray | None = None) -> tuple[Split, ...]:
        """For each array of row numbers the images, still on disk, and their labels if given."""
        return tuple(
            (StoredRows(self.images, part), None if labels is None else labels[part])
            for part in rows
        )


def cached_images(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box] | None = None
) -> CachedImages:
    """The images of `files`, at least one, from the cache, or decoded into it.

    When the name, size or time of a file changes, a new cache replaces the old one. Unreadable
    files are left out with a warning and tried again at every start. Another warning counts
    pictures in formats that are not read. `boxes` has, by name, the part of a picture to show.

    Raises:
        InputError: none of the files can be read, or the cache cannot be written.
    """
    with warnings.catch_warnings():
        # Pillow warns about metadata, and about large pictures, which `Decoding` refuses.
        warnings.simplefilter("ignore")
        cache, damaged = _found_or_made(files, decoding, boxes or {})
    place = path_text(files.path)
    if damaged:
        warnings.warn(
            f"The cache of {place} was damaged, or an older version's; it was made again.",
            stacklevel=2,
        )
    if cache.unreadable:
        warnings.warn(
            f"{len(cache.unreadable):,} of {len(files.stamps):,} files in {place} cannot be "
            f"read and are left out: {_listed(cache.unreadable)}.",
            stacklevel=2,
        )
    if files.others:
        warnings.warn(
            f"{len(files.others):,} picture(s) in {place} left out, in formats that are not "
            f"read, such as {path_text(files.others[0])}; convert them to JPEG or PNG.",
            stacklevel=2,
        )
    return cache


def _found_or_made(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]
) -> tuple[CachedImages, bool]:
    """The cache, and whether it takes the place of a damaged one."""
    source = _hash(FORMAT, files.path, decoding, bool(boxes))[:12]
    # Joined first: hashing 200,000 names one by one would take longer than all else here.
    stamps = "\0".join(files.stamps), "\0".join(files.stamps.values())
    content = _hash(*stamps, *boxes.items())[:16]
    shape = "x".join(map(str, decoding.shape))
    title = re.sub(r"[^A-Za-z0-9]+", "_", files.path.stem)[:40]
    path = keras_home() / "zoo-cache" / f"{title}-{shape}-{source}-{content}.npy"
    there, cache = path.exists(), None
    # NumPy's and json's readers raise almost any type for damaged files.
    with suppress(Exception):
        cache = CachedImages.open(path)
    damaged = there and cache is None
    if cache is None or any(
        isinstance(decode(files, name, decoding, boxes.get(name)), np.ndarray)
        for name in cache.unreadable
    ):
        _write(path, files, decoding, boxes)
        cache = CachedImages.open(path)
    # Remove older caches of the same source and decoding, and what killed programs left.
    for other in [*path.parent.glob(f"*-{source}-*.npy"), *path.parent.glob("*.part")]:
        # Another program may have removed it, or on Windows may be reading it.
        with suppress(OSError):
            if other != path and (other.suffix == ".npy" or _abandoned(other)):
                other.unlink()
    return cache, damaged


def _abandoned(path: Path) -> bool:
    """Whether an unfinished file has no writer any more."""
    with path.open("r+b") as file:
        status = os.fstat(file.fileno())
        # A writer locks its file before it writes a first byte.
        return time.time() - status.st_mtime > ABANDONED or (
            status.st_size > 0 and took_lock(file.fileno())
        )


def _write(path: Path, files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]) -> None:
    """Write a file that gets its name when it is complete, and is removed if anything fails."""
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.part")
    names, unreadable, checksums = [], {}, []
    size, count = math.prod(decoding.shape), len(files.stamps)
    # Each thread has a picture of four bytes a pixel, a canvas, an array and its copy.
    needed = min(count, BLOCK) * size + min(count, THREADS) * 16 * decoding.height * decoding.width
    require_memory(f"Decoding to {decoding.height}×{decoding.width} pixels", needed, "lower size")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if count * size > shutil.disk_usage(path.parent).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        with temporary.open("xb") as file:
            took_lock(file.fileno())
            file.write(_header(0, decoding))
            for name, image in zip(files.stamps, decoded(files, decoding, boxes), strict=True):
                if isinstance(image, str):
                    unreadable[name] = image
                else:
                    names.append(name)
                    checksums.append(zlib.crc32(image.data))
                    file.write(image.data)
            if not names:
                raise InputError(
                    f"None of the {len(unreadable):,} image files in {path_text(files.path)} can "
                    f"be read: {_listed(unreadable)}."
                )
            notes = json.dumps({"names": names, "unreadable": unreadable}).encode()
            rest = np.array(checksums, "<u4").tobytes() + notes
            header = _header(len(names), decoding)
            file.write(rest + struct.pack("<I", zlib.crc32(rest, zlib.crc32(header))))
            # NumPy leaves room for the count, so the header's length stays the same.
            file.seek(0)
            file.write(header)
            file.flush()
            os.fsync(file.fileno())
            # Renamed while locked, or another program takes it for a killed one's.
            with suppress(PermissionError):
                os.replace(temporary, path)
        if temporary.exists():  # Windows renames closed files only.
            os.replace(temporary, path)
    except OSError as error:
        raise InputError(
            f"The decoded images ({count * size // 10**6:,} MB) cannot be written to "
            f"{path.parent}: {error.strerror or error}. Make room there, or set KERAS_HOME to "
            "another folder."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _header(count: int, decoding: Decoding) -> bytes:
    """The beginning of an .npy file with `count` images."""
    header, shape = BytesIO(), (count, *decoding.shape)
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, facts)
    return header.getvalue()


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


def _listed(unreadable: dict[str, str]) -> str:
    first = [f"{path_text(name)} ({why})" for name, why in list(unreadable.items())[:5]]
    more = len(unreadable) - len(first)
    return "; ".join(first) + (f"; and {more:,} more" if more else "")
