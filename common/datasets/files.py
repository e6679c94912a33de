"""Reading dataset files: every way in which a file can be wrong ends in an InputError naming it."""

import gzip
import hashlib
import os
import socket
import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import BadZipFile, is_zipfile

import numpy as np

from common.errors import InputError

DOWNLOAD_TIMEOUT = 15.0
NEED_NO_DOWNLOAD = "The datasets digits and polynomials need no download."


def read_npz(path: Path, keys: tuple[str, ...]) -> list[np.ndarray]:
    """The arrays named `keys` of an .npz file."""
    with reading(path), path.open("rb") as file:
        if not is_zipfile(file):
            raise ValueError("it is not an .npz archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            if missing := [key for key in keys if key not in arrays.files]:
                raise ValueError(f"it has no array {', '.join(missing)}")
            return [arrays[key] for key in keys]


def read_npy(path: Path) -> np.ndarray:
    """The array of an .npy file."""
    with reading(path), path.open("rb") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def read_idx(path: Path) -> np.ndarray:
    """The uint8 array of a gzipped IDX file, the format MNIST was published in."""
    with reading(path), gzip.open(path) as file:
        zeros, kind, rank = struct.unpack(">HBB", file.read(4))
        if zeros or kind != 8:
            raise ValueError("it is not an IDX file of bytes")
        shape = struct.unpack(f">{rank}I", file.read(4 * rank))
        # A bytearray, for an array over bytes is read-only, which PyTorch warns about.
        return np.frombuffer(bytearray(file.read()), np.uint8).reshape(shape)


def local_file(data_dir: str | Path, name: str) -> Path:
    """The file `name` in the folder `data_dir`, or `data_dir` itself where it is a file."""
    path = Path(data_dir).expanduser()
    return path if path.is_file() or path.suffix == Path(name).suffix else path / name


def cached_file(name: str, folder: str, url: str, sha256: str) -> Path:
    """The file `name` in `folder` of Keras's cache, downloaded with Keras if it is not there yet.

    A file that is there already is only read: Keras's own look-up would delete one with another
    hash when it cannot download it anew, and would not see one in a cache it may not write to.
    """
    home, fallback = keras_homes()
    for path in (home / folder / name, fallback / folder / name):
        if os.path.isfile(path):
            with reading(path), path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    raise ValueError(
                        "its SHA-256 is not that of the published file; delete it to download it "
                        "again, or read a file of your own with data_dir="
                    )
            return path
    cache = writable_home()
    target = cache / folder / name
    note = "" if cache == home else f" ({home} cannot be written to)"

    import keras

    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_TIMEOUT)
    try:
        keras.utils.get_file(
            name, url, file_hash=sha256, cache_subdir=str(target.parent.absolute())
        )
    except Exception as error:
        target.unlink(missing_ok=True)
        raise InputError(
            f"{name} could not be downloaded ({error}). Get {url} elsewhere and put it at "
            f"{target}{note}, or give its folder as data_dir=. {NEED_NO_DOWNLOAD}"
        ) from None
    finally:
        socket.setdefaulttimeout(timeout)
    return target


def keras_homes() -> tuple[Path, Path]:
    """Keras's cache (`KERAS_HOME`, by default ~/.keras), and the one used if it is not writable."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return home, Path(tempfile.gettempdir(), ".keras")


def writable_home() -> Path:
    """The first of `keras_homes` that can be written to, made if it is not there yet."""
    home, fallback = keras_homes()
    return home if _writable(home) else fallback


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Make an `InputError` of what reading the file `path` raises if it is missing or damaged."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; put it there. {NEED_NO_DOWNLOAD}") from None
    # RuntimeError: what zipfile raises for encrypted members and unknown compressions.
    except (OSError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error, struct.error) as e:
        raise InputError(f"{path} cannot be used: {e}.") from None
