"""Images decoded once, into an array on disk.

A cache is one file in `zoo-cache` in Keras's cache: an .npy array, followed by JSON that says which
files its images are from. One renaming puts both in place.
"""

import hashlib
import json
import math
import os
import re
import time
import uuid
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from common.datasets.base import Split
from common.datasets.files import keras_home
from common.datasets.lazy_arrays import StoredImages, StoredRows
from common.datasets.photos.decoding import Box, Decoding, decode, decoded
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError

FORMAT = 2  # Raise it when the same files give other pixels, or another list of files.
ABANDONED = 3600  # seconds after which an unfinished file has no writer any more


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
        """The cache in a file; an OSError, EOFError, ValueError or KeyError if it is damaged."""
        images = StoredImages(path)
        with path.open("rb") as file:
            file.seek(images.end)
            notes = json.load(file)
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
        cache = _found_or_made(files, decoding, boxes or {})
    if cache.unreadable:
        warnings.warn(
            f"{len(cache.unreadable):,} of {len(files.stamps):,} files in {files.path} cannot be "
            f"read and are left out: {_listed(cache.unreadable)}.",
            stacklevel=2,
        )
    if files.others:
        warnings.warn(
            f"{len(files.others):,} picture(s) in {files.path} left out, in formats that are not "
            f"read, such as {files.others[0]}; convert them to JPEG or PNG.",
            stacklevel=2,
        )
    return cache


def _found_or_made(files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]) -> CachedImages:
    source = _hash(FORMAT, files.path, decoding, bool(boxes))[:12]
    # Joined first: hashing 200,000 names one by one would take longer than all else here.
    stamps = "\0".join(files.stamps), "\0".join(files.stamps.values())
    content = _hash(*stamps, *boxes.items())[:16]
    shape = "x".join(map(str, decoding.shape))
    title = re.sub(r"[^A-Za-z0-9]+", "_", files.path.stem)[:40]
    path = keras_home() / "zoo-cache" / f"{title}-{shape}-{source}-{content}.npy"
    cache = None
    with suppress(OSError, EOFError, ValueError, KeyError):
        cache = CachedImages.open(path)
    if cache is None or any(
        isinstance(decode(files, name, decoding, boxes.get(name)), np.ndarray)
        for name in cache.unreadable
    ):
        _write(path, files, decoding, boxes)
        cache = CachedImages.open(path)
    # Remove older caches of the same source and decoding, and what killed programs left.
    for other in path.parent.glob(f"*-{source}-*"):
        # Another program may have removed it, or on Windows may be reading it.
        with suppress(OSError):
            unfinished = time.time() - other.stat().st_mtime < ABANDONED
            if other != path and not (other.suffix == ".part" and unfinished):
                other.unlink()
    return cache


def _write(path: Path, files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]) -> None:
    """Write a file that gets its name when it is complete, and is removed if anything fails."""
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.part")
    header = {"descr": "|u1", "fortran_order": False, "shape": (0, *decoding.shape)}
    names, unreadable = [], {}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for name, image in zip(files.stamps, decoded(files, decoding, boxes), strict=True):
                if isinstance(image, str):
                    unreadable[name] = image
                else:
                    names.append(name)
                    file.write(image.data)
            if not names:
                raise InputError(
                    f"None of the {len(unreadable):,} image files in {files.path} can be read: "
                    f"{_listed(unreadable)}."
                )
            file.write(json.dumps({"names": names, "unreadable": unreadable}).encode())
            # NumPy leaves room for the count, so the header's length stays the same.
            file.seek(0)
            header["shape"] = (len(names), *decoding.shape)
            np.lib.format.write_array_header_1_0(file, header)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        needed = len(files.stamps) * math.prod(decoding.shape) / 1e6
        raise InputError(
            f"The decoded images ({needed:,.0f} MB) cannot be written to {path.parent}: "
            f"{error.strerror or error}. Make room there, or set KERAS_HOME to another folder."
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


def _listed(unreadable: dict[str, str]) -> str:
    first = [f"{name} ({why})" for name, why in list(unreadable.items())[:5]]
    more = len(unreadable) - len(first)
    return "; ".join(first) + (f"; and {more:,} more" if more else "")
