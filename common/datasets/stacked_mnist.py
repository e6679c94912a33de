"""Stacked MNIST: three grey digits as the channels of one image, a thousand classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.lazy import LazyImages
from common.datasets.mnist import MNISTData
from common.errors import InputError, whole_number


class StackedImages(LazyImages):
    """Images (N, H, W, 3) that are put together only when they are read.

    Channel c of image n is `images[rows[n, c]]`, with `images` (M, H, W, 1) and `rows` int (N, 3).
    """

    def __init__(self, images: np.ndarray, rows: np.ndarray):
        self.images = images
        self.rows = rows
        self.dtype = images.dtype
        self.shape = (len(rows), *images.shape[1:3], rows.shape[1])

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        """The images at an index, stacked."""
        channels = np.moveaxis(self.rows[index], -1, 0)
        return np.stack([self.images[rows][..., 0] for rows in channels], axis=-1)


@dataclass(eq=False)
class StackedMNISTData(ImageData):
    """Stacked MNIST: random triples of digits, each a channel of its own.

    Images uint8 (N, 28, 28, 3), stacked when they are read (`StackedImages`). The label is the
    digit in channel 0 + 10 · that in channel 1 + 100 · that in channel 2, 0 … 999. By default
    128,000 triples of MNIST's training digits, the published protocol, and 10,000 of its test
    digits, drawn uniformly by `seed`; the first triples of a seed do not depend on their number.

    `source` is another dataset of ten classes of grey images to stack, in place of MNIST, which
    `data_dir` locates; a validation split of its own is left out. The common options work on the
    single digits: `drop_class` is a digit that no channel of a training image shows, and validation
    triples are made of digits that training does not see. `data_fraction` also scales the numbers
    of triples. `binarize` and `drop_class`, each on or off, make the four data modes binary or
    float × missing or complete.

    L. Metz et al., Unrolled GANs (2017), arXiv:1611.02163; A. Srivastava et al., VEEGAN (2017),
    arXiv:1705.07761; Z. Lin et al., PacGAN (2018), arXiv:1712.04086.
    """

    num_images: int = 128_000
    num_test: int = 10_000
    seed: int = 0
    source: ImageData | None = None
    data_dir: str | Path | None = None

    name: ClassVar[str] = "stacked"

    def __post_init__(self):
        whole_number("num_images", self.num_images)
        whole_number("num_test", self.num_test)
        whole_number("seed", self.seed, least=0)
        super().__post_init__()
        count = round(self.num_images * self.data_fraction)
        num_valid = round(count * self.validation_fraction)
        num_test = round(self.num_test * self.data_fraction)
        if count == num_valid or num_test == 0 or (self.x_valid is not None and num_valid == 0):
            raise InputError(
                f"{self.num_images} triples of training and {self.num_test} of test digits are too "
                f"few for data_fraction={self.data_fraction} and "
                f"validation_fraction={self.validation_fraction}: ask for more."
            )
        streams = np.random.SeedSequence(self.seed).spawn(3)
        self.x_train, self.y_train = _stack(
            self.x_train, self.y_train, count - num_valid, streams[0]
        )
        self.x_test, self.y_test = _stack(self.x_test, self.y_test, num_test, streams[1])
        if self.x_valid is not None:
            self.x_valid, self.y_valid = _stack(self.x_valid, self.y_valid, num_valid, streams[2])
        self.image_shape = self.x_train.shape[1:]
        self.class_names = tuple(f"{label:03d}" for label in range(1000))

    def read(self) -> tuple[Split, Split]:
        """The single digits of the source."""
        if self.source is not None and self.data_dir is not None:
            raise InputError("source= is a dataset already loaded: give data_dir= to that dataset.")
        source = self.source or MNISTData(data_dir=self.data_dir)
        if source.num_classes != 10 or source.image_shape[2] != 1:
            raise InputError(
                f"{source.name} has {source.num_classes or 'no'} classes and "
                f"{source.image_shape[2]} channels: stacking needs ten classes of grey images."
            )
        self.origin = source.origin
        self.image_shape, self.class_names = source.image_shape, source.class_names
        return (source.x_train, source.y_train), (source.x_test, source.y_test)


def _stack(
    images: np.ndarray, labels: np.ndarray, count: int, stream: np.random.SeedSequence
) -> tuple[StackedImages, np.ndarray]:
    rows = np.random.default_rng(stream).integers(len(images), size=(count, 3))
    return StackedImages(images, rows), labels[rows] @ np.array([1, 10, 100])
