"""Stanford Cars: 16,185 photographs of cars of 196 models."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.decoding import Box, Decoding
from common.datasets.files import NEED_NO_DOWNLOAD, keras_homes, reading
from common.datasets.image_cache import cached_images
from common.datasets.image_sources import FolderFiles
from common.datasets.rows import Rows, drawn_split
from common.errors import InputError

TRAIN, TEST = "cars_train", "cars_test"
TEST_SHARE = 0.1
# With the classes of the test images where they are known.
ANNOTATIONS = {
    TRAIN: ("cars_train_annos.mat",),
    TEST: ("cars_test_annos_withlabels.mat", "cars_test_annos.mat"),
}
CLASSES = "cars_meta.mat"
CORNERS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")


@dataclass(eq=False)
class CarsData(ImageData):
    """Stanford Cars: the photographs in the folders `cars_train` and `cars_test`.

    Images uint8 (N, height, width, 3), decoded once into a cache on disk and read from there
    (`Rows`). Without `cars_test` a tenth of the others is drawn for testing. Labels are there where
    the development kit (the folder `devkit`) tells the classes of all images; for those of the test
    images it needs `cars_test_annos_withlabels.mat`.

    Options beyond those of `ImageData`:
        data_dir: the folder with `cars_train`; by default `datasets/stanford_cars` in Keras's cache
            (`KERAS_HOME`, by default ~/.keras).
        size: of the images: the side of a square, or (height, width); the photographs are wider
            than high, mostly 4:3.
        fit: "crop" shows the middle, "pad" all of it on white.
        boxes: show the car alone, by the boxes of the development kit: with "crop" all of it and
            around it as little as gives the image's shape, so far as the photograph reaches.

    J. Krause et al., 3D Object Representations for Fine-Grained Categorization (2013); for
    non-commercial research only.
    """

    data_dir: str | Path | None = None
    size: int | tuple[int, int] = 64
    fit: str = "crop"
    boxes: bool = False

    name: ClassVar[str] = "cars"

    def __post_init__(self):
        self.decoding = Decoding.of(self.size, fit=self.fit)
        self.image_shape = self.decoding.shape
        super().__post_init__()

    def read(self) -> tuple[Split, Split]:
        """The images of both splits and, where the development kit is, their classes."""
        default = keras_homes()[0] / "datasets" / "stanford_cars"
        folder = Path(self.data_dir or default).expanduser()
        self.origin = str(folder)
        files = FolderFiles(folder, (TRAIN, TEST))
        if not any(name.startswith(f"{TRAIN}/") for name in files.stamps):
            raise InputError(_what_to_get(folder))
        kit = _Kit(folder, files)
        cache = cached_images(files, self.decoding, kit.boxes(files) if self.boxes else None)
        self.content = cache.content
        self.class_names, labels = kit.classes(cache.names)
        if labels is not None:
            digest = hashlib.sha256(cache.content.encode() + labels.tobytes())
            self.content = digest.hexdigest()[:16]
        in_test = np.array([name.startswith(f"{TEST}/") for name in cache.names])
        splits = np.flatnonzero(~in_test), np.flatnonzero(in_test)
        if not in_test.any():
            if len(cache.names) < 2:
                raise InputError(f"{folder} holds one image that can be read; get the others.")
            splits = drawn_split(len(cache.names), TEST_SHARE, seed=0)
        train, test = (
            (Rows(cache.images, rows), None if labels is None else labels[rows]) for rows in splits
        )
        return train, test


class _Kit:
    """The development kit beside the images, as far as it is there.

    Attributes:
        annotations: what it says of the images, by the name of the file.
    """

    def __init__(self, folder: Path, files: FolderFiles):
        self.places = [folder / "devkit", folder]
        self.annotations = {}
        for part, kit_names in ANNOTATIONS.items():
            path = self._find(kit_names)
            images = [name for name in files.stamps if name.startswith(f"{part}/")]
            if path is None or not images:
                continue
            entries = {str(e["fname"]): e for e in np.atleast_1d(_load(path, "annotations"))}
            # In re-uploads the images lie a folder deeper, as cars_train/cars_train/00001.jpg.
            bases = {name: name.rpartition("/")[2] for name in images}
            known = {name: entries[base] for name, base in bases.items() if base in entries}
            if not known:
                raise InputError(
                    f"{path} describes none of the {len(images):,} images in {folder / part}, such "
                    f"as {images[0]}: give them their published names, such as 00001.jpg, or take "
                    "that file away."
                )
            self.annotations |= known

    def boxes(self, files: FolderFiles) -> dict[str, Box]:
        """The box around the car, by the name of the file."""
        if missing := [name for name in files.stamps if name not in self.annotations]:
            raise InputError(
                f"boxes=True needs the boxes of all images, but in {self.places[0]} there is none "
                f"for {missing[0]} and {len(missing):,} in all: put there the devkit with "
                "cars_train_annos.mat and cars_test_annos.mat, or leave boxes out."
            )
        found = {}
        for name in files.stamps:
            # Counted from 1, the last included.
            left, top, right, bottom = (int(self.annotations[name][corner]) for corner in CORNERS)
            found[name] = (left - 1, top - 1, right, bottom)
        return found

    def classes(self, names: list[str]) -> tuple[tuple[str, ...], np.ndarray | None]:
        """The names of the classes and the labels of the images, or () and None."""
        path = self._find((CLASSES,))
        known = [self.annotations.get(name) for name in names]
        if path is None or not all(e is not None and "class" in e.dtype.names for e in known):
            return (), None
        class_names = tuple(map(str, np.atleast_1d(_load(path, "class_names"))))
        return class_names, np.array([int(entry["class"]) - 1 for entry in known])

    def _find(self, names: tuple[str, ...]) -> Path | None:
        paths = (place / name for name in names for place in self.places)
        return next((path for path in paths if path.is_file()), None)


def _load(path: Path, key: str) -> np.ndarray:
    from scipy.io import loadmat

    with reading(path):
        try:
            return loadmat(path, squeeze_me=True)[key]
        # SciPy raises errors of many types for files that are damaged or of another kind.
        except Exception as error:
            raise ValueError(f"it is no such file of the Stanford Cars ({error})") from None


def _what_to_get(folder: Path) -> str:
    return (
        f"{folder} holds no folder {TRAIN} with images, and the Stanford Cars cannot be downloaded "
        'from here. Get cars_train.tgz, cars_test.tgz and car_devkit.tgz from the page "Cars '
        'Dataset" of Jonathan Krause, Stanford Artificial Intelligence Laboratory, unpack them '
        f"there, or give their place as data_dir=. {NEED_NO_DOWNLOAD}"
    )
