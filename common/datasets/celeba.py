"""CelebA: 202,599 photographs of faces, aligned at the eyes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.datasets.base import ImageData, Split, drawn_split
from common.datasets.files import NEED_NO_DOWNLOAD, keras_home
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Decoding
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError

FOLDER = "img_align_celeba"


@dataclass(eq=False)
class CelebAData(ImageData):
    """CelebA, aligned and cropped: the middle of each photograph, the face with some hair.

    Images uint8 (N, height, width, 3), without labels, decoded once into a cache on disk and read
    from there (`StoredRows`). They show the middle 148×148 of 178×218 pixels, as in X. Hou et al.
    (2017), arXiv:1610.00291; images that are not square show the same share of the largest
    rectangle of their shape.

    The splits are the published ones by the number of the file: training up to 162770, validation
    up to 182637 (`x_valid`, unless `validation_fraction` is given), then test. If training or test
    images are missing, or a file's name is not a number, a tenth of all is drawn for testing.

    Options beyond those of `ImageData`:
        data_dir: the folder or zip archive `img_align_celeba`, the folder it lies in, or the
            published folder above, `CelebA` with `Img`; by default `datasets/celeba` in Keras's
            cache (`KERAS_HOME`, by default ~/.keras).
        size: side of the square images, or (height, width).

    Z. Liu et al., Deep Learning Face Attributes in the Wild (2015), arXiv:1411.7766; for
    non-commercial research only.
    """

    data_dir: str | Path | None = None
    size: int | tuple[int, int] = 64

    name = "celeba"

    def read(self) -> tuple[Split, ...]:
        # The middle 148×148 of 178×218 pixels reach from the forehead to the chin.
        decoding = Decoding.of(self.size, part=148 / 178)
        self.image_shape = decoding.shape
        place = Path(self.data_dir or keras_home() / "datasets" / "celeba")
        files = _files(place.expanduser().absolute())
        self.origin = str(files.path)
        cache = cached_images(files, decoding)
        self.content = cache.content
        rows = _published_split(cache.names) or drawn_split(len(cache.names), self.origin)
        return cache.split(*rows)


def _files(place: Path) -> ImageFiles:
    """The image files at `place`, or in one of the published layouts below it."""
    paths = [place / FOLDER, place / "Img" / FOLDER]
    for folder in (place, place / "Img"):
        paths += sorted(folder.glob(f"{FOLDER}*.zip"))
    if place.is_file() or place.name == FOLDER or any(place.glob("*.jpg")):
        paths.append(place)
    for path in paths:
        if (files := ImageFiles(path)).stamps:
            return files
    raise InputError(
        f"{place} holds no CelebA, which cannot be downloaded from here: put {FOLDER}.zip of the "
        'page "Large-scale CelebFaces Attributes (CelebA) Dataset" (MMLAB, The Chinese University '
        "of Hong Kong) there, packed or unpacked, or give its place as data_dir=. "
        f"{NEED_NO_DOWNLOAD}"
    )


def _published_split(names: list[str]) -> tuple[np.ndarray, ...] | None:
    """The rows of training, test and, if there are some, validation; None without a split."""
    stems = [name.rpartition("/")[2].partition(".")[0] for name in names]
    if not all(stem.isdecimal() for stem in stems):
        return None
    part = np.digitize([int(stem) for stem in stems], [162_770, 182_637], right=True)
    train, validation, test = (np.flatnonzero(part == number) for number in range(3))
    if not (len(train) and len(test)):
        return None
    return (train, test, validation) if len(validation) else (train, test)
