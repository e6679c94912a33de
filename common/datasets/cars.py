"""Stanford Cars: 16,185 photographs of cars of 196 models."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.datasets.base import ImageData, Split, drawn_split
from common.datasets.files import NEED_NO_DOWNLOAD, keras_home, path_text
from common.datasets.mat_files import read_mat
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Box, Decoding
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError

TRAIN, TEST = "cars_train", "cars_test"
# For each part, the files of the kit that describe its images; the first has the classes.
ANNOTATIONS = {
    TRAIN: ("cars_train_annos.mat",),
    TEST: ("cars_test_annos_withlabels.mat", "cars_test_annos.mat"),
}
CORNERS = ("bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2")
LARGEST = 100_000  # pixels of a side


@dataclass(eq=False)
class CarsData(ImageData):
    """Stanford Cars: the photographs in the folders `cars_train` and `cars_test`.

    Images uint8 (N, height, width, 3), decoded once into a cache on disk and read from there
    (`StoredRows`). Without `cars_test`, a tenth of the training images is drawn for testing. There
    are labels if the development kit (the folder `devkit`) has the classes of all images; those of
    the test images are in `cars_test_annos_withlabels.mat`.

    Options beyond those of `ImageData`:
        data_dir: the folder with `cars_train`; by default `datasets/stanford_cars` in Keras's cache
            (`KERAS_HOME`, by default ~/.keras).
        size: side of the square images, or (height, width); most photographs are 4:3.
        fit: "crop" shows the middle, "pad" all of it on white.
        boxes: show the car alone, by the development kit's boxes. With "crop", the surroundings
            fill up the image's shape, as far as the photograph reaches.

    J. Krause et al., 3D Object Representations for Fine-Grained Categorization (2013); for
    non-commercial research only.
    """

    data_dir: str | Path | None = None
    size: int | tuple[int, int] = 64
    fit: str = "crop"
    boxes: bool = False

    name = "cars"

    def read(self) -> tuple[Split, ...]:
        decoding = Decoding.of(self.size, fit=self.fit)
        self.image_shape = decoding.shape
        folder = Path(self.data_dir or keras_home() / "datasets" / "stanford_cars").expanduser()
        self.origin = str(folder)
        files = ImageFiles(folder, (TRAIN, TEST))
        if not any(name.startswith(f"{TRAIN}/") for name in files.stamps):
            raise InputError(
                f"{folder} holds no folder {TRAIN} with images, and the Stanford Cars cannot be "
                "downloaded from here: unpack cars_train.tgz, cars_test.tgz and car_devkit.tgz "
                'of the page "Cars Dataset" (Jonathan Krause, Stanford Artificial Intelligence '
                "Laboratory) there, or give their place as data_dir=. "
                f"{NEED_NO_DOWNLOAD}"
            )
        annotations, classes = _annotations(folder, files)
        boxes = _boxes(annotations, files, folder) if self.boxes else None
        cache = cached_images(files, decoding, boxes)
        self.content, labels = cache.content, None
        known = [annotations[name] for name in cache.names if name in annotations]
        complete = len(known) == len(cache.names) and all("class" in entry for entry in known)
        if classes and complete:
            self.class_names = classes
            labels = np.array([entry["class"] - 1 for entry in known])
            digest = hashlib.sha256(cache.content.encode() + labels.tobytes())
            self.content = digest.hexdigest()[:16]
        in_test = np.array([name.startswith(f"{TEST}/") for name in cache.names])
        rows = np.flatnonzero(~in_test), np.flatnonzero(in_test)
        if not in_test.any():
            rows = drawn_split(len(cache.names), self.origin)
        return cache.split(*rows, labels=labels)


def _annotations(folder: Path, files: ImageFiles) -> tuple[dict[str, dict], tuple[str, ...]]:
    """What the development kit says of the images, by the name of the file, and its classes."""
    kit, images = {}, {}
    for part, names in ANNOTATIONS.items():
        images[part] = [name for name in files.stamps if name.startswith(f"{part}/")]
        if images[part] and (path := _find(folder, names)):
            kit[path] = part
    if not kit:
        return {}, ()
    meta = _find(folder, ("cars_meta.mat",))
    read = read_mat(
        dict.fromkeys(kit, "annotations") | ({meta: "class_names"} if meta else {}),
        "the Stanford Cars",
    )
    classes = tuple(map(str, read[meta])) if meta else ()
    ranges = dict.fromkeys(CORNERS, (0, LARGEST)) | ({"class": (1, len(classes))} if meta else {})
    annotations = {}
    for path, part in kit.items():
        entries = {str(e.get("fname")): e for e in read[path] if isinstance(e, dict)}
        # In re-uploads the images lie a folder deeper, as cars_train/cars_train/00001.jpg.
        known = {n: entries[b] for n in images[part] if (b := n.rpartition("/")[2]) in entries}
        if not known:
            raise InputError(
                f"{path_text(path)} describes none of the {len(images[part]):,} images such as "
                f"{path_text(images[part][0])}: give them their published names, such as "
                "00001.jpg, or remove that file."
            )
        annotations |= {name: _checked(entry, ranges, path) for name, entry in known.items()}
    return annotations, classes


def _checked(entry: dict, ranges: Mapping[str, tuple[int, int]], path: Path) -> dict[str, int]:
    """The numbers of an entry that have a range, if they are whole and within."""
    numbers = {}
    for field in (field for field in entry if field in ranges):
        (least, most), number = ranges[field], entry[field]
        # NaN and infinity are in no range.
        if not (isinstance(number, int | float) and least <= number <= most and number % 1 == 0):
            raise InputError(
                f"{path_text(path)} gives {entry['fname']} the {field} {number!r:.40}; expected a "
                f"whole number from {least} to {most:,}. Unpack the file again."
            )
        numbers[field] = int(number)
    return numbers


def _boxes(annotations: dict[str, dict], files: ImageFiles, folder: Path) -> dict[str, Box]:
    """The box around the car, by the name of the file."""
    if missing := [
        name for name in files.stamps if not annotations.get(name, {}).keys() >= {*CORNERS}
    ]:
        raise InputError(
            f"boxes=True needs the boxes of all images, but {folder / 'devkit'} has none for "
            f"{missing[0]} and {len(missing):,} in all: put cars_train_annos.mat and "
            "cars_test_annos.mat there, or leave boxes out."
        )
    found = {}
    for name in files.stamps:
        # Counted from 1, the last included.
        left, top, right, bottom = (annotations[name][corner] for corner in CORNERS)
        if right < left or bottom < top:
            raise InputError(
                f"{path_text(folder / 'devkit')} gives {path_text(name)} a box from {left}, {top} "
                f"to {right}, {bottom}, which has no inside. Unpack its files again."
            )
        found[name] = (left - 1, top - 1, right, bottom)
    return found


def _find(folder: Path, names: tuple[str, ...]) -> Path | None:
    paths = (place / name for name in names for place in (folder / "devkit", folder))
    return next((path for path in paths if path.is_file()), None)
