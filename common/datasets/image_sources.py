"""Where image files lie: in a folder or in a zip archive."""

import os
import stat
from abc import ABC, abstractmethod
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zipfile import ZipFile

from common.datasets.decoding import SUFFIXES
from common.datasets.files import reading
from common.errors import InputError

MAX_BYTES = 2**28
OTHER_PICTURES = (".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2")


class ImageFiles(ABC):
    """Image files by their names, relative to where they lie, in the order of the names.

    Hidden files and those without one of the `SUFFIXES` are left out.

    Attributes:
        path: where the files lie, absolute.
        stamps: what tells a file from a changed one, by name.
        others: the names of pictures in formats that are not read.
    """

    path: Path
    stamps: dict[str, str]
    others: list[str]

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """The file `name`, open for reading; several threads may ask at once."""


class FolderFiles(ImageFiles):
    """The image files in a folder and, at any depth, in its subfolders; links are followed.

    Args:
        folder: where they are.
        only: the subfolders to look into, where they exist; by default all, and the folder.

    Raises:
        InputError: a subfolder cannot be read.
    """

    def __init__(self, folder: Path, only: tuple[str, ...] = ("",)):
        self.path = folder.resolve()
        images, self.others, seen = [], [], set()
        for part in only:
            if (self.path / part).is_dir():
                _find(str(self.path / part), part and f"{part}/", images, self.others, seen)
        self.stamps = _stamps(self.path, sorted(images))

    def open(self, name: str) -> BinaryIO:
        """The file."""
        path = self.path / name
        # Opening a named pipe would wait for somebody to write into it.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ValueError("not a regular file")
        return path.open("rb")


class ZipFiles(ImageFiles):
    """The image files in a zip archive, which is not unpacked.

    Raises:
        InputError: the archive cannot be read.
    """

    def __init__(self, path: Path):
        self.path = path.resolve()
        with reading(path):
            self.archive = ZipFile(path)
        entries = {
            entry.filename: f"{entry.file_size} {entry.CRC}"
            for entry in sorted(self.archive.infolist(), key=lambda entry: entry.filename)
            if not entry.filename.startswith("__MACOSX/")
            and not entry.filename.rpartition("/")[2].startswith(".")
        }
        self.stamps = {
            name: stamp for name, stamp in entries.items() if name.lower().endswith(SUFFIXES)
        }
        self.others = [name for name in entries if name.lower().endswith(OTHER_PICTURES)]
        # Reading a zip from several threads is not safe in every Python that is supported.
        self.lock = Lock()

    def open(self, name: str) -> BinaryIO:
        """The file, in memory."""
        if (size := self.archive.getinfo(name).file_size) > MAX_BYTES:
            raise ValueError(f"its {size:,} bytes are more than {MAX_BYTES:,}")
        with self.lock:
            return BytesIO(self.archive.read(name))


def existing_folder(path: str | Path) -> Path:
    """The folder `path`, or an `InputError`."""
    folder = Path(os.path.expanduser(path))
    if not folder.is_dir():
        problem = "is a file, not a folder" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {problem}: give a folder of images.")
    return folder


def _find(folder: str, prefix: str, images: list[str], others: list[str], seen: set[str]) -> None:
    """Add the names, after `prefix`, of what lies in a folder and below it; `seen` grows too."""
    real = os.path.realpath(folder)
    # A link to a folder above it would never end.
    if real in seen:
        return
    seen.add(real)
    with reading(Path(folder)):
        names = os.listdir(folder)
    # Only names that are no picture's are looked up, which tells with 200,000 files.
    for name in names:
        if name.startswith("."):
            continue
        lower = name.lower()
        if lower.endswith(SUFFIXES):
            images.append(prefix + name)
        elif lower.endswith(OTHER_PICTURES):
            others.append(prefix + name)
        elif os.path.isdir(os.path.join(folder, name)):
            _find(os.path.join(folder, name), f"{prefix}{name}/", images, others, seen)


def _stamps(folder: Path, names: list[str]) -> dict[str, str]:
    """The size and the time of the files `names` in `folder`."""
    if not names or os.stat not in os.supports_dir_fd:
        return {name: _stamp(os.path.join(folder, name), None) for name in names}
    # A name in an open folder is found sooner than a whole path, which tells with 200,000 files.
    with reading(folder):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        return {name: _stamp(name, descriptor) for name in names}
    finally:
        os.close(descriptor)


def _stamp(path: str, folder: int | None) -> str:
    try:
        status = os.stat(path, dir_fd=folder)
    except OSError:
        # It counts as a file that cannot be read.
        return ""
    return f"{status.st_size} {status.st_mtime_ns}"
