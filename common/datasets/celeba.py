"""CelebA: 202,599 photographs of faces, aligned at the eyes, with 40 attributes each."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.decoding import Decoding
from common.datasets.files import NEED_NO_DOWNLOAD, keras_homes, reading
from common.datasets.image_cache import cached_images
from common.datasets.image_sources import FolderFiles, ImageFiles, ZipFiles
from common.datasets.rows import Rows, drawn_split
from common.errors import InputError

FOLDER = "img_align_celeba"
ATTRIBUTES = "list_attr_celeba.txt"
LAST_TRAINING, LAST_VALIDATION = 162_770, 182_637
TEST_SHARE = 0.1
# Of 178×218 pixels the middle 148×148, from the forehead to the chin.
PART = 148 / 178


@dataclass(eq=False)
class CelebAData(ImageData):
    """CelebA, aligned and cropped: the middle of each photograph, the face with some hair.

    Images uint8 (N, height, width, 3), without labels, decoded once into a cache on disk and read
    from there (`Rows`). Of the 178×218 pixels the middle 148×148 are shown (of another shape, the
    same share of the largest that fits), as in X. Hou et al. (2017), arXiv:1610.00291.

    The splits are the published ones by the number of the file: training up to 162770, validation
    up to 182637, then test; `x_valid` is the published validation split unless
    `validation_fraction` asks for a part of the training images. If training or test images are
    missing, or a file's name is no number, a tenth of all images is drawn for testing instead.

    Options beyond those of `ImageData`:
        data_dir: the folder or zip archive `img_align_celeba`, or the folder it lies in; by default
            `datasets/celeba` in Keras's cache (`KERAS_HOME`, by default ~/.keras).
        size: of the images: the side of a square, or (height, width).

    Attributes beyond those of `ImageData`:
        attribute_names: of the 40, such as "Smiling"; () without `list_attr_celeba.txt`, which is
            looked for beside the images.
        attributes, attributes_valid, attributes_test: bool (N, 40), which of them the images of
            `x_train`, `x_valid` and `x_test` have; None without that file or that split.

    Z. Liu et al., Deep Learning Face Attributes in the Wild (2015), arXiv:1411.7766; for
    non-commercial research only.
    """

    data_dir: str | Path | None = None
    size: int | tuple[int, int] = 64

    name: ClassVar[str] = "celeba"

    def __post_init__(self):
        self.decoding = Decoding.of(self.size, part=PART)
        self.image_shape = self.decoding.shape
        self.attribute_names = ()
        self._validation = None
        super().__post_init__()
        if self._validation is not None and not self.validation_fraction:
            rows = self.training_rows(None, len(self._validation))
            self.x_valid, self.y_valid = self._part("validation", (self._validation, None), rows)
        self.attributes = self._attributes_of(self.x_train)
        self.attributes_valid = self._attributes_of(self.x_valid)
        self.attributes_test = self._attributes_of(self.x_test)

    def read(self) -> tuple[Split, Split]:
        """The images of both splits; the validation images and the attributes are kept aside."""
        default = keras_homes()[0] / "datasets" / "celeba"
        files, table = _files(Path(self.data_dir or default).expanduser())
        self.origin = str(files.path)
        cache = cached_images(files, self.decoding)
        stems = [name.rpartition("/")[2].partition(".")[0] for name in cache.names]
        if table is not None:
            self.attribute_names, self._attributes = _attributes(table, stems)
        splits = _published_split(stems)
        if splits is None:
            if len(stems) < 2:
                raise InputError(f"{self.origin} holds one image that can be read; get the others.")
            splits = *drawn_split(len(stems), TEST_SHARE, seed=0), np.array([], int)
        train, test, validation = (Rows(cache.images, rows) for rows in splits)
        if len(validation):
            self._validation = validation
        return (train, None), (test, None)

    def _attributes_of(self, images: Rows | None) -> np.ndarray | None:
        known = self.attribute_names and images is not None
        return self._attributes[images.rows] if known else None


def _files(place: Path) -> tuple[ImageFiles, Path | None]:
    """The images, and the file of the attributes if there is one."""
    files, near = _images_at(place)
    beside = [folder / ATTRIBUTES for folder in (near, near / "Anno", near.parent, place)]
    return files, next((path for path in beside if path.is_file()), None)


def _images_at(place: Path) -> tuple[ImageFiles, Path]:
    """The images and the folder they lie in."""
    if place.is_file():
        return ZipFiles(place), place.parent
    if (place / FOLDER).is_dir() and (files := FolderFiles(place / FOLDER)).stamps:
        return files, place
    for archive in sorted(place.glob(f"{FOLDER}*.zip")):
        return ZipFiles(archive), place
    if any(place.glob("*.jpg")):
        return FolderFiles(place), place
    raise InputError(
        f"{place} holds no CelebA, which cannot be downloaded from here. Get {FOLDER}.zip (and, "
        f'for the attributes, {ATTRIBUTES}) from the page "Large-scale CelebFaces Attributes '
        '(CelebA) Dataset", MMLAB, The Chinese University of Hong Kong, and put it there, packed '
        f"or unpacked, or give its place as data_dir=. {NEED_NO_DOWNLOAD}"
    )


def _published_split(stems: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The rows of training, test and validation, or None where the numbers do not give them."""
    if not all(stem.isdecimal() for stem in stems):
        return None
    numbers = np.array([int(stem) for stem in stems])
    train = np.flatnonzero(numbers <= LAST_TRAINING)
    test = np.flatnonzero(numbers > LAST_VALIDATION)
    validation = np.flatnonzero((numbers > LAST_TRAINING) & (numbers <= LAST_VALIDATION))
    return (train, test, validation) if len(train) and len(test) else None


def _attributes(path: Path, stems: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """The names of the attributes and, bool (N, 40), which of them the images have."""
    import pandas as pd

    with reading(path):
        # The first line is their number, the second their names, without one for the files.
        table = pd.read_csv(path, sep=r"\s+", skiprows=1)
        table.index = table.index.astype(str).str.removesuffix(".jpg")
        if missing := sorted(set(stems) - set(table.index)):
            raise ValueError(f"it has no line for {missing[0]}.jpg and {len(missing)} in all")
        values = table.loc[stems].to_numpy()
        if not np.isin(values, (-1, 1)).all():
            raise ValueError("it must say -1 or 1 for each attribute of each image")
    return tuple(table.columns), values == 1
