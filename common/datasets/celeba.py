"""CelebA: 202,599 photographs of faces, aligned at the eyes, with 40 attributes each."""

from collections.abc import Iterator
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
        data_dir: the folder or zip archive `img_align_celeba`, the folder it lies in, or as it was
            published the folder above, `CelebA` with `Img` and `Anno`; by default `datasets/celeba`
            in Keras's cache (`KERAS_HOME`, by default ~/.keras).
        size: of the images: the side of a square, or (height, width).

    Attributes beyond those of `ImageData`:
        attribute_names: of the 40, such as "Smiling"; () without `list_attr_celeba.txt`, which is
            looked for beside the images, up to two folders above, and in `Anno` there.
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
        files, table = _files(Path(self.data_dir or default).expanduser().absolute())
        self.origin = str(files.path)
        cache = cached_images(files, self.decoding)
        self.content = cache.content
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
    for path in _where_images_may_be(place):
        files = ZipFiles(path) if path.is_file() else FolderFiles(path)
        if files.stamps:
            beside = (path, path.parent, path.parent.parent)
            tables = [folder / sub / ATTRIBUTES for folder in beside for sub in ("", "Anno")]
            return files, next((table for table in tables if table.is_file()), None)
    raise InputError(
        f"{place} holds no CelebA, which cannot be downloaded from here. Get {FOLDER}.zip (and, "
        f'for the attributes, {ATTRIBUTES}) from the page "Large-scale CelebFaces Attributes '
        '(CelebA) Dataset", MMLAB, The Chinese University of Hong Kong, and put it there, packed '
        f"or unpacked, or give its place as data_dir=. {NEED_NO_DOWNLOAD}"
    )


def _where_images_may_be(place: Path) -> Iterator[Path]:
    yield from (place / FOLDER, place / "Img" / FOLDER)
    if place.is_file() or place.name == FOLDER:
        yield place
    for folder in (place, place / "Img"):
        yield from sorted(folder.glob(f"{FOLDER}*.zip"))
    if any(place.glob("*.jpg")):
        yield place


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
    with reading(path):
        # The first line is the number of the others, the second says the attributes.
        lines = path.read_bytes().replace(b"\t", b" ").splitlines()
        names = tuple(b"".join(lines[1:2]).decode().split())
        parts = (line.partition(b" ") for line in lines[2:])
        signs_of = {file.partition(b".")[0].decode(): signs for file, _, signs in parts}
        if missing := sorted(set(stems) - signs_of.keys()):
            raise ValueError(f"it has no line for {missing[0]}.jpg and {len(missing)} in all")
        rows = [signs_of[stem] for stem in stems]
        text = b" ".join([b"", *rows])
        rest = text.replace(b" -1", b"").replace(b" 1", b"").strip(b" ")
        if rest or any(row.count(b"1") != len(names) for row in rows):
            raise ValueError("it must say -1 or 1 for each attribute of each image")
        # Parsing eight million numbers would take as long as the rest of a start; signs do.
        characters = np.frombuffer(text, np.uint8)
        before = characters[np.flatnonzero(characters == ord("1")) - 1]
    return names, (before != ord("-")).reshape(len(stems), len(names))
