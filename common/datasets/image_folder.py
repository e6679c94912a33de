"""Your own pictures: any folder of image files."""

import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.datasets.base import ImageData, Split, drawn_split
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Decoding
from common.datasets.photos.sources import SUFFIXES, ImageFiles
from common.errors import InputError, whole_number


@dataclass(eq=False)
class ImageFolderData(ImageData):
    """The images in a folder and its subfolders: JPEG, PNG, WebP, BMP, and first frames of GIFs.

    Images uint8 (N, height, width, channels), decoded once into a cache on disk and read from there
    (`StoredRows`). `Decoding` handles all sizes, rotations, modes and transparency. Files that
    cannot be read are left out with a warning.

    If all images lie in two or more subfolders, these are the classes, in the order of their names;
    otherwise there are no labels. Subfolders `train` and `test` (or `val`, `valid`, `validation`)
    are the two splits: each may have the classes as its subfolders, and nothing else is read.
    Without them, the test images are drawn.

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
        if not folder.is_dir():
            problem = "is a file, not a folder" if folder.exists() else "does not exist"
            raise InputError(f"{folder} {problem}: give a folder of images.")
        self.origin, self.name = str(folder), folder.resolve().name
        tests = ("test", "val", "valid", "validation")
        test = next((part for part in tests if (folder / part).is_dir()), None)
        parts = ("train", test) if test and (folder / "train").is_dir() else ()
        files = ImageFiles(folder, parts or ("",))
        if not files.stamps:
            others = f" but {len(files.others):,} in other formats" if files.others else ""
            raise InputError(
                f"{folder} and its subfolders hold no images{others}: put files there that end in "
                f"{', '.join(SUFFIXES)}, or give another folder."
            )
        cache = cached_images(files, decoding)
        self.content = cache.content
        within = cache.names
        if parts:
            part_of, within = zip(*(name.split("/", 1) for name in cache.names), strict=True)
            rng, part_of = np.random.default_rng(self.seed), np.array(part_of)
            rows = [rng.permutation(np.flatnonzero(part_of == part)) for part in parts]
            if empty := [part for part, found in zip(parts, rows, strict=True) if not len(found)]:
                raise InputError(
                    f"{folder} has the subfolders {' and '.join(parts)}, but no image in "
                    f"{empty[0]} can be read: put some there, or rename the subfolders."
                )
        else:
            rows = drawn_split(len(cache.names), self.origin, self.test_fraction, self.seed)
        self.class_names, labels = _classes(within)
        return cache.split(*rows, labels=labels)


def _classes(names: Sequence[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
    """The first folders in the names as classes and the names' labels, or () and None."""
    folders = [name.partition("/")[0] if "/" in name else "" for name in names]
    found = sorted(set(folders))
    if len(found) > 2 and "" in found:
        warnings.warn(
            f"{folders.count(''):,} of {len(names):,} images lie beside the {len(found) - 1} "
            f"subfolders, such as {names[folders.index('')]}; move them into one to have classes.",
            stacklevel=2,
        )
    if len(found) < 2 or "" in found:
        return (), None
    return tuple(found), np.searchsorted(found, folders)
