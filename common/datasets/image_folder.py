"""Your own pictures: any folder of image files."""

import hashlib
import os
import posixpath
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.datasets.base import ImageData, Split, drawn_split
from common.datasets.files import path_text
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Decoding
from common.datasets.photos.sources import SUFFIXES, ImageFiles
from common.errors import InputError, whole_number

TRAIN = ("train", "training")
TESTS = ("test", "testing", "val", "valid", "validation")
WRAPPERS = 5  # folders in folders to look into; links may lead round in circles


@dataclass(eq=False)
class ImageFolderData(ImageData):
    """The images in a folder and its subfolders: JPEG, PNG, WebP, BMP, and first frames of GIFs.

    Images uint8 (N, height, width, channels), decoded once into a cache on disk and read from there
    (`StoredRows`). `Decoding` handles all sizes, rotations, modes and transparency. Files that
    cannot be read are left out with a warning.

    If all images lie in two or more subfolders, these are the classes, in the order of their names;
    otherwise there are no labels. Subfolders `train` (or `training`) and `test` (or `testing`,
    `val`, `valid`, `validation`) are the two splits: each may have the classes as its subfolders,
    and nothing else is read. Capitals and an ending such as `_set` do not matter. Without these
    two, the test images are drawn. A folder around all that is passed through.

    Options beyond those of `ImageData`:
        folder: where the images are.
        size: side of the square images, or (height, width).
        channels: 3 for colour, 1 for grey.
        fit: "crop" shows the middle of a picture of another shape, "pad" all of it on white.
        test_fraction: share of the images to draw for testing, in (0, 1).
        seed: decides that draw and the order of the images, which is random.
    """

    folder: str | Path
    size: int | tuple[int, int] = 64
    channels: int = 3
    fit: str = "crop"
    test_fraction: float = 0.1
    seed: int = 0

    name = "folder"
    label_hint = ", or sort the images into a subfolder for each class"

    def read(self) -> tuple[Split, ...]:
        whole_number("seed", self.seed, least=0)
        if not 0 < self.test_fraction < 1:
            raise InputError(f"test_fraction={self.test_fraction} is outside (0, 1).")
        decoding = Decoding.of(self.size, self.channels, self.fit)
        self.image_shape = decoding.shape
        folder = Path(os.path.expanduser(self.folder))
        shown = path_text(folder)
        if not folder.is_dir():
            problem = "is a file, not a folder" if folder.exists() else "does not exist"
            raise InputError(f"{shown} {problem}: give a folder of images.")
        self.origin, self.name = shown, path_text(folder.resolve().name)
        parts = _split_folders(folder)
        files = ImageFiles(folder, parts or ("",))
        if not files.stamps:
            others = f" but {len(files.others):,} in other formats" if files.others else ""
            raise InputError(
                f"{shown} and its subfolders hold no images{others}: put files there that end in "
                f"{', '.join(SUFFIXES)}, or give another folder."
            )
        cache = cached_images(files, decoding)
        self.content = cache.content
        within = cache.names
        if parts:
            if parts[0] != "train":
                # Earlier versions drew the test images from both, so their models know these.
                digest = hashlib.sha256(repr((cache.content, parts)).encode())
                self.content = digest.hexdigest()[:16]
            part_of = np.array([name.startswith(f"{parts[1]}/") for name in cache.names], int)
            starts = [len(parts[part]) + 1 for part in part_of]
            within = [name[start:] for name, start in zip(cache.names, starts, strict=True)]
            rng = np.random.default_rng(self.seed)
            rows = [rng.permutation(np.flatnonzero(part_of == part)) for part in (0, 1)]
            if empty := [part for part, found in zip(parts, rows, strict=True) if not len(found)]:
                raise InputError(
                    f"{shown} has the subfolders {' and '.join(map(path_text, parts))}, but no "
                    f"image in {path_text(empty[0])} can be read: put some there, or rename the "
                    "subfolders."
                )
        else:
            rows = drawn_split(len(cache.names), self.origin, self.test_fraction, self.seed)
        self.class_names, labels = _classes(within)
        return cache.split(*rows, labels=labels)


def _split_folders(folder: Path) -> tuple[str, ...]:
    """The subfolders of training and test images, or (); alone in a folder, that may have them."""
    place = ""
    for _ in range(WRAPPERS):
        _, found, names = next(os.walk(folder / place), ("", [], []))
        found = [name for name in found if not name.startswith((".", "__MACOSX"))]
        train, test = (_called(words, found) for words in (TRAIN, TESTS))
        if train and test:
            return f"{place}{train}", f"{place}{test}"
        if len(found) != 1 or any(name.lower().endswith(SUFFIXES) for name in names):
            break
        place += f"{found[0]}/"
    return ()


def _called(words: Sequence[str], folders: Sequence[str]) -> str | None:
    """The folder whose name means one of the words; of several that of the first word."""
    for word in words:
        # The word itself comes before other writings of it.
        for folder in sorted(folders, key=lambda folder: (folder != word, folder)):
            if re.sub(r"[ _-]?(set|data|images)$", "", folder.lower()) == word:
                return folder
    return None


def _classes(names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The first folders that differ in the names as classes, and the labels, or () and None."""
    folders = [posixpath.dirname(name) for name in names]
    start = len(posixpath.join(posixpath.commonpath(folders), ""))
    folders = [folder[start:].partition("/")[0] for folder in folders]
    found = sorted(set(folders))
    if len(found) > 2 and "" in found:
        warnings.warn(
            f"{folders.count(''):,} of {len(names):,} images lie beside the {len(found) - 1} "
            f"subfolders, such as {path_text(names[folders.index('')])}; move them into one to "
            "have classes.",
            stacklevel=2,
        )
    if len(found) < 2 or "" in found:
        return (), None
    return tuple(map(path_text, found)), np.searchsorted(found, folders)
