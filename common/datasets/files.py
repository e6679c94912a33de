"""Dataset files: Keras's cache and downloads, and readers whose errors name the file."""

import gzip
import hashlib
import os
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from common.errors import InputError

NEED_NO_DOWNLOAD = "The datasets digits and polynomials need no download."


def read_npz(path: Path) -> tuple:
    """(x_train, y_train), (x_test, y_test) of an .npz file with arrays of these names."""
    keys = ("x_train", "y_train", "x_test", "y_test")
    with reading(path), path.open("rb") as file, np.lib.npyio.NpzFile(file) as arrays:
        if missing := [key for key in keys if key not in arrays.files]:
            raise ValueError(f"it has no array {', '.join(missing)}")
        return tuple((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped IDX file, the format MNIST was published in."""
    with reading(path), gzip.open(path) as file:
        zeros, kind, rank = struct.unpack(">HBB", file.read(4))
        if zeros or kind != 8:
            raise ValueError("it is not an IDX file of bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        # A bytearray gives a writable array; PyTorch warns about others.
        return np.frombuffer(bytearray(file.read()), np.uint8).reshape(shape)


def cached_file(url: str, sha256: str, folder: str = "datasets") -> Path:
    """The published file in `folder` of Keras's cache; Keras downloads it if it is missing."""
    path = place_in_cache(url.rpartition("/")[2], sha256, folder)
    if not path.is_file():
        with downloading(path, url, "its folder"):
            import keras

            place = str(path.parent.absolute())
            keras.utils.get_file(path.name, url, file_hash=sha256, cache_subdir=place)
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
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; put it there. {NEED_NO_DOWNLOAD}") from None
    # zipfile raises RuntimeError for encrypted members and unknown compressions.
    except (OSError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error, struct.error) as e:
        raise InputError(f"{path} cannot be used: {e}.") from None
