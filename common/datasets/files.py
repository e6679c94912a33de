"""Dataset files: Keras's cache and downloads, and readers whose errors name the file."""

import gzip
import hashlib
import math
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import numpy as np

from common.datasets.limits import require_memory
from common.errors import InputError

NEED_NO_DOWNLOAD = "The datasets digits and polynomials need no download."
DEFLATE = 1032  # times smaller at most are zlib's files


def read_npz(path: Path) -> tuple:
    """(x_train, y_train), (x_test, y_test) of an .npz file with arrays of these names."""
    keys = ("x_train", "y_train", "x_test", "y_test")
    with reading(path), ZipFile(path) as archive:
        if missing := [key for key in keys if f"{key}.npy" not in archive.namelist()]:
            raise ValueError(f"it has no array {', '.join(missing)}")
        arrays = _arrays(path, archive, keys)
    return tuple((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))


def read_samples(path: Path) -> np.ndarray:
    """The array `samples` of an .npz file, or its only one."""
    with reading(path), ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist()]
        key = "samples" if "samples" in names or len(names) != 1 else names[0]
        if key not in names:
            raise ValueError(f"it has no array samples, but {', '.join(names)[:80]}")
        return _arrays(path, archive, [key])[key]


def _arrays(path: Path, archive: ZipFile, keys: Sequence[str]) -> dict[str, np.ndarray]:
    sizes = {key: archive.getinfo(f"{key}.npy").file_size for key in keys}
    require_memory(path_text(path), sum(sizes.values()), "give a smaller file")
    arrays = {}
    for key, size in sizes.items():
        with archive.open(f"{key}.npy") as file:
            arrays[key] = _read_npy(file, key, size)
    return arrays


def _read_npy(file: IO[bytes], name: str, size: int) -> np.ndarray:
    """The array of an open .npy file of `size` bytes, with memory for no more than these."""
    version = np.lib.format.read_magic(file)
    # NumPy writes version 3 only for records.
    header = "read_array_header_1_0" if version == (1, 0) else "read_array_header_2_0"
    shape, _, dtype = getattr(np.lib.format, header)(file)
    if not dtype.hasobject and file.tell() + math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"its array {name} is said to be {dtype} {shape}, but has another size")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped IDX file, the format MNIST was published in."""
    with reading(path), gzip.open(path) as file:
        zeros, kind, rank = struct.unpack(">HBB", file.read(4))
        if zeros or kind != 8:
            raise ValueError("it is not an IDX file of bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        size = math.prod(shape)
        complete = size <= DEFLATE * path.stat().st_size
        if complete:
            require_memory(path_text(path), size, "give a smaller file")
            array = np.empty(shape, np.uint8)
            # What follows the last byte is the checksum, which is compared when it is read.
            complete = file.readinto(array.reshape(-1).data) == size and not file.read(1)
        if not complete:
            raise ValueError(f"its array is said to be {shape}, but has another size")
        return array


def cached_file(urls: Sequence[str], sha256: str, folder: str = "datasets") -> Path:
    """The published file in `folder` of Keras's cache; Keras downloads it if it is missing.

    Args:
        urls: the places that have it, in the order to try.
        sha256: of the file, which a download must have.
        folder: within the cache.
    """
    path = place_in_cache(urls[0].rpartition("/")[2], sha256, folder)
    failures: list[InputError] = []
    while not path.is_file():
        if len(failures) == len(urls):
            raise failures[0]
        url = urls[len(failures)]
        try:
            with downloading(path, url, "its folder"):
                import keras

                place = str(path.parent.absolute())
                keras.utils.get_file(path.name, url, file_hash=sha256, cache_subdir=place)
        except InputError as failure:
            failures.append(failure)
    return path


def place_in_cache(name: str, sha256: str, folder: str = "datasets") -> Path:
    """The file's place in Keras's cache; an `InputError` if a file with another hash is there."""
    path = keras_home() / folder / name
    if path.is_file():
        with reading(path), path.open("rb") as file:
            # Keras would delete it.
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise ValueError(
                    "its SHA-256 is not that of the published file; delete it to download it "
                    "again, or read a file of your own with data_dir="
                )
    return path


@contextmanager
def downloading(path: Path, url: str, instead: str) -> Iterator[None]:
    """Turn a failed download into an `InputError`; `instead` is what `data_dir` accepts."""
    timeout, there = socket.getdefaulttimeout(), path.is_file()
    socket.setdefaulttimeout(15)  # seconds
    try:
        yield
    except Exception as error:
        if path.is_file() and not there:
            path.unlink()  # Keras keeps a download whose hash is wrong.
        reason = getattr(error.__context__, "reason", error)  # Keras's message repeats the URL.
        raise InputError(
            f"{url.rpartition('/')[2]} could not be {'unpacked' if there else 'downloaded'} "
            f"({reason}). Get {url} elsewhere and put it at {path}, or give {instead} as "
            f"data_dir=. {NEED_NO_DOWNLOAD}"
        ) from None
    finally:
        socket.setdefaulttimeout(timeout)


def keras_home() -> Path:
    """Keras's cache: `KERAS_HOME`, by default ~/.keras."""
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn errors from reading a missing or damaged file into an `InputError` that names it."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(
            f"There is no file {path_text(path)}; put it there. {NEED_NO_DOWNLOAD}"
        ) from None
    # The readers of NumPy, zipfile and gzip raise almost any type for damaged files.
    except Exception as error:
        reason = first_sentence(str(error) or type(error).__name__)
        raise InputError(f"{path_text(path)} cannot be used: {reason}.") from None


def first_sentence(text: str) -> str:
    """The first sentence of a foreign message, without its full stop."""
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")


def path_text(name: str | Path) -> str:
    r"""A file's name as text; bytes that are no UTF-8 become \xNN."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
