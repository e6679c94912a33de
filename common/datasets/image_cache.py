"""Images decoded once, into an array on disk.

A cache is one file in `zoo-cache` in Keras's cache: an .npy array, for a memory map, and behind it,
as JSON, which files its images are from; so that one renaming puts both in place.
"""

import hashlib
import json
import os
import re
import shutil
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from common.datasets.decoding import Box, Decoding
from common.datasets.files import keras_homes, writable_home
from common.datasets.image_sources import ImageFiles
from common.datasets.parallel_decoding import Unreadable, decode, decoded
from common.datasets.rows import StoredImages
from common.errors import InputError

FOLDER = "zoo-cache"
# Raised where other pixels, or other files, come out of the same ones.
FORMAT = 2
NAMED = 5
# A file that is being written has changed within these seconds.
ABANDONED = 3600


@dataclass(frozen=True)
class CachedImages:
    """Decoded images and where they are from.

    Attributes:
        content: a digest of the files' names, sizes and times, and of which could be read.
        images: uint8 (N, H, W, C), on disk.
        names: of the N files, in the order of the source.
        skipped: why there is no image of it, by the name of the file.
    """

    content: str
    images: StoredImages
    names: list[str]
    skipped: dict[str, Unreadable]

    @classmethod
    def open(cls, path: Path) -> Self | None:
        """The cache in a file, or None where there is none that is whole."""
        try:
            images = StoredImages(path)
            with path.open("rb") as file:
                file.seek(images.map.offset + images.map.nbytes)
                notes = json.load(file)
            skipped = {name: Unreadable(*reason) for name, reason in notes["skipped"].items()}
            content = _hash(path.stem.rpartition("-")[2], "\0".join(notes["names"]))[:16]
            return cls(content, images, notes["names"], skipped)
        except (OSError, EOFError, ValueError, LookupError):
            return None


def cached_images(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box] | None = None
) -> CachedImages:
    """The images of `files`, from the cache, or decoded into it if it has not these files so.

    A cache is that of the files' names, sizes and times, and of how they are decoded: if one of
    them changes, a new cache takes the place of the old. Files that cannot be read are left out
    with a warning; where the reason can pass, they are tried again at every start. Pictures in
    formats that are not read are counted in a warning.

    Args:
        files: at least one.
        decoding: how they become images.
        boxes: the part of the picture to show, by name, where it is not the whole.

    Raises:
        InputError: none of the files can be read, or the cache cannot be written.
    """
    # Pillow remarks on metadata, and on large pictures, which are refused here anyway.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cache = _found_or_made(files, decoding, boxes or {})
    if cache.skipped:
        warnings.warn(
            f"{len(cache.skipped):,} of {len(files.stamps):,} files in {files.path} cannot be "
            f"read and are left out: {_listed(cache.skipped)}.",
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
    # In two strings, for 200,000 names one by one take longer than everything else here.
    stamps = "\0".join(files.stamps), "\0".join(files.stamps.values())
    content = _hash(*stamps, *boxes.items())[:16]
    shape = "x".join(map(str, decoding.shape))
    title = re.sub(r"[^A-Za-z0-9]+", "_", files.path.stem)[:40]
    name = f"{title}-{shape}-{source}-{content}.npy"
    for home in keras_homes():
        cache = CachedImages.open(home / FOLDER / name)
        if cache and not any(
            isinstance(decode(files, file, decoding, boxes.get(file)), np.ndarray)
            for file, reason in cache.skipped.items()
            if reason.passing
        ):
            _remove_outdated(home / FOLDER / name, source)
            return cache
    path = writable_home() / FOLDER / name
    _write(path, files, decoding, boxes)
    _remove_outdated(path, source)
    if (cache := CachedImages.open(path)) is None:
        raise InputError(
            f"{path} was written and cannot be read again: something else removed it, or its file "
            "system has no memory maps. Let KERAS_HOME name a folder on another disk."
        )
    return cache


def _write(path: Path, files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]) -> None:
    needed = len(files.stamps) * int(np.prod(decoding.shape))
    with _written_whole(path, needed) as file:
        names, skipped = [], {}
        _write_header(file, 0, decoding)
        with closing(decoded(files, decoding, boxes)) as results:
            for name, image in zip(files.stamps, results, strict=True):
                if isinstance(image, Unreadable):
                    skipped[name] = image
                else:
                    names.append(name)
                    file.write(image.data)
        if not names:
            raise InputError(
                f"None of the {len(skipped):,} image files in {files.path} can be read: "
                f"{_listed(skipped)}."
            )
        file.write(json.dumps({"names": names, "skipped": skipped}).encode())
        file.seek(0)
        _write_header(file, len(names), decoding)


def _write_header(file: BinaryIO, count: int, decoding: Decoding) -> None:
    """The .npy header, whose length does not depend on the count: NumPy leaves room for it."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, *decoding.shape)}
    np.lib.format.write_array_header_1_0(file, header)


@contextmanager
def _written_whole(path: Path, needed: int) -> Iterator[BinaryIO]:
    """A new file that takes its name when all is written, and is removed if anything fails."""
    temporary = path.with_suffix(f".{uuid.uuid4().hex}.part")
    advice = "Make room there, or let KERAS_HOME name a folder that has some."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(path.parent).free) < needed:
            raise InputError(
                f"The decoded images take {needed / 1e6:,.0f} MB in {path.parent}, where "
                f"{free / 1e6:,.0f} MB are free. {advice}"
            )
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BrokenPipeError:
        raise  # Of what reads the progress bar.
    except OSError as error:
        raise InputError(
            f"The decoded images ({needed / 1e6:,.0f} MB) cannot be written to {path.parent}: "
            f"{error.strerror or error}. {advice}"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _remove_outdated(path: Path, source: str) -> None:
    """Remove other caches of the same files decoded in the same way, and what a kill left."""
    for other in path.parent.glob(f"*-{source}-*"):
        if other == path:
            continue
        try:
            if other.suffix != ".part" or time.time() - other.stat().st_mtime > ABANDONED:
                other.unlink()
        except OSError:
            # Somebody else was first, or, on Windows, reads it.
            continue


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()


def _listed(skipped: dict[str, Unreadable]) -> str:
    """The first few files and what is wrong with them."""
    first = [f"{name} ({reason.why})" for name, reason in list(skipped.items())[:NAMED]]
    more = len(skipped) - len(first)
    return "; ".join(first) + (f"; and {more:,} more" if more else "")
