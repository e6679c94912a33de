"""One's own pictures: any folder of image files."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.decoding import SUFFIXES, Decoding
from common.datasets.image_cache import cached_images
from common.datasets.image_sources import FolderFiles, existing_folder
from common.datasets.rows import Rows, drawn_split
from common.errors import InputError, whole_number

TRAIN = "train"
TESTS = ("test", "val", "valid", "validation")


@dataclass(eq=False)
class ImageFolderData(ImageData):
    """The images in a folder and its subfolders: JPEG, PNG, WebP, BMP, and of GIFs the first frame.

    Images uint8 (N, height, width, channels), decoded once into a cache on disk and read from
    there (`Rows`). `Decoding` says what becomes of their sizes, rotations, modes and transparency;
    files that cannot be read are left out with a warning.

    Where all images lie in subfolders, two or more, these are the classes, in the order of their
    names, and the labels say which; else there are no labels. If the folder has a `train` and a
    `test` subfolder (or else `val`, `valid` or `validation`), they are the two splits, each may
    have the classes as its subfolders, and what lies beside them is not read. Else the test images
    are drawn.

    Options beyond those of `ImageData`:
        folder: where the images are.
        size: of the images: the side of a square, or (height, width).
        channels: 3 for colour, 1 for grey.
        fit: "crop" shows the middle of a picture of another shape, "pad" all of it on white.
        test_fraction: the share of the images, drawn by `seed`, to test with, in (0, 1).
        seed: of that draw, and of the order of the images, which is not the folder's.
    """

    folder: str | Path
    size: int | tuple[int, int] = 64
    channels: int = 3
    fit: str = "crop"
    test_fraction: float = 0.1
    seed: int = 0

    name: ClassVar[str] = "folder"

    def __post_init__(self):
        whole_number("seed", self.seed, least=0)
        if not 0 < self.test_fraction < 1:
            raise InputError(
                f"test_fraction={self.test_fraction} is outside (0, 1): "
                "give the share of the images to test with."
            )
        self.decoding = Decoding.of(self.size, self.channels, self.fit)
        self.image_shape = self.decoding.shape
        super().__post_init__()

    def read(self) -> tuple[Split, Split]:
        """The images in drawn order, and their classes."""
        folder = existing_folder(self.folder)
        self.origin, self.name = str(folder), folder.resolve().name
        test = next((part for part in TESTS if (folder / part).is_dir()), None)
        parts = (TRAIN, test) if test and (folder / TRAIN).is_dir() else ()
        files = FolderFiles(folder, parts or ("",))
        if not files.stamps:
            others = f" but {len(files.others):,} in other formats" if files.others else ""
            raise InputError(
                f"{folder} and its subfolders hold no images{others}: put files there that end in "
                f"{', '.join(SUFFIXES)}, or give another folder."
            )
        cache = cached_images(files, self.decoding)
        self.content = cache.content
        within = cache.names
        if parts:
            within = [name.removeprefix(f"{_part(name)}/") for name in cache.names]
        self.class_names, labels = _classes(within)
        if parts:
            splits = self._named_split(parts, np.array([_part(name) for name in cache.names]))
        else:
            splits = self._drawn_split(len(cache.names))
        train, test = (
            (Rows(cache.images, rows), None if labels is None else labels[rows]) for rows in splits
        )
        return train, test

    def _drawn_split(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        if count < 2:
            raise InputError(
                f"{self.origin} holds one image that can be read; at least two are needed, one to "
                "train and one to test with."
            )
        return drawn_split(count, self.test_fraction, self.seed)

    def _named_split(self, parts: tuple[str, str], part_of: np.ndarray) -> list[np.ndarray]:
        """The images of the two subfolders, each in drawn order."""
        splits = [np.flatnonzero(part_of == part) for part in parts]
        for part, rows in zip(parts, splits, strict=True):
            if not len(rows):
                raise InputError(
                    f"{self.origin} has the subfolders {' and '.join(parts)}, but in {part} is no "
                    "image that can be read: put some there, or rename the subfolders."
                )
        rng = np.random.default_rng(self.seed)
        return [rng.permutation(rows) for rows in splits]


def _part(name: str) -> str:
    """The first folder in a name, or nothing."""
    return name.partition("/")[0] if "/" in name else ""


def _classes(names: list[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The first folders in the names as classes and the names' labels, or () and None."""
    folders = [_part(name) for name in names]
    found = sorted(set(folders))
    if len(found) > 2 and "" in found:
        warnings.warn(
            f"{folders.count(''):,} of {len(names):,} images lie beside the {len(found) - 1} "
            f"subfolders, such as {names[folders.index('')]}, so these are not taken as classes; "
            "for labels, move them into one.",
            stacklevel=2,
        )
    if len(found) < 2 or "" in found:
        return (), None
    return tuple(found), np.searchsorted(found, folders)
