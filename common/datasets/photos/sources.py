"""The image files in a folder or a zip archive."""

import os
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zipfile import ZipFile

from common.datasets.files import reading

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif")
OTHER_PICTURES = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2")
LARGEST = 1 << 30  # bytes of a packed picture; Pillow refuses larger ones, once they are unpacked


class ImageFiles:
    """The image files in a zip archive, or in a folder and, at any depth, in its subfolders.

    Hidden files and those without one of the `SUFFIXES` are left out. Links are followed.

    Args:
        path: the archive, which is not unpacked, or the folder.
        parts: the subfolders to look into, where they exist; by default the whole folder.

    Attributes:
        path: absolute.
        stamps: by the name relative to `path`, in order, a text that changes with the file.
        others: the names of pictures in formats that are not read.

    Raises:
        InputError: the archive or a subfolder cannot be read.
    """

    def __init__(self, path: Path, parts: Iterable[str] = ("",)):
        self.path, self.archive = path.resolve(), None
        # Not every supported Python can read a zip from several threads.
        self.lock = Lock()
        if path.is_file():
            with reading(path):
                self.archive = ZipFile(path)
            names = self.archive.namelist()
        else:
            found = [part for part in parts if (path / part).is_dir()]
            names = (name for part in found for name in _names(self.path, part))
        names = sorted(n for n in names if not (n.startswith("__MACOSX/") or "/." in f"/{n}"))
        self.others = [name for name in names if name.lower().endswith(OTHER_PICTURES)]
        self.stamps = {n: self._stamp(n) for n in names if n.lower().endswith(SUFFIXES)}

    def open(self, name: str) -> BinaryIO:
        """The file `name`, open for reading; several threads may ask at once."""
        if self.archive is None:
            return (self.path / name).open("rb")
        if (size := self.archive.getinfo(name).file_size) > LARGEST:
            raise ValueError(f"no picture has {size:,} bytes")
        with self.lock:
            return BytesIO(self.archive.read(name))

    def _stamp(self, name: str) -> str:
        """The size of a file and its time, or in an archive its checksum."""
        if self.archive is not None:
            entry = self.archive.getinfo(name)
            return f"{entry.file_size} {entry.CRC}"
        try:
            status = os.stat(f"{self.path}/{name}")
        except OSError:
            return ""  # Decoding it will fail and say why.
        return f"{status.st_size} {status.st_mtime_ns}"


def _names(root: Path, part: str) -> Iterator[str]:
    """The names, relative to `root`, of all files in its subfolder `part` that are not hidden."""
    seen = set()
    with reading(root / part):
        for folder, subfolders, names in os.walk(root / part, followlinks=True, onerror=_fail):
            real = os.path.realpath(folder)
            if real in seen:  # A link to a folder above it would never end.
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            place = os.path.relpath(folder, root).replace(os.sep, "/")
            yield from (name if place == "." else f"{place}/{name}" for name in names)


def _fail(error: OSError) -> None:
    raise error
