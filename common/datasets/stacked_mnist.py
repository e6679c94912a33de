"""Stacked MNIST: three grey digits as the channels of one image, a thousand classes."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.lazy_arrays import LazyImages
from common.datasets.limits import require_memory
from common.datasets.mnist import MNISTData
from common.errors import InputError, whole_number

# A label is the sum of its channels' digits times these.
PLACES = np.array([1, 10, 100])


class StackedImages(LazyImages):
    """Images (N, H, W, 3) that are stacked when they are read.

    Channel c of image n is `images[rows[n, c]]`, with `images` (M, H, W, 1) and `rows` int (N, 3).
    """

    def __init__(self, images: np.ndarray | LazyImages, rows: np.ndarray):
        self.images, self.rows, self.dtype = images, rows, np.dtype(images.dtype)
        self.shape = (len(rows), *images.shape[1:3], rows.shape[1])

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        channels = np.moveaxis(self.rows[index], -1, 0)
        return np.stack([self.images[rows][..., 0] for rows in channels], axis=-1)


@dataclass(eq=False)
class StackedMNISTData(ImageData):
    """Stacked MNIST: random triples of digits, one in each channel.

    Images uint8 (N, 28, 28, 3), stacked when they are read (`StackedImages`). The label, 0 … 999,
    is the digit in channel 0 + 10 · that in channel 1 + 100 · that in channel 2. By default there
    are 128,000 triples of MNIST's training digits, the published protocol, and 10,000 of its test
    digits, drawn uniformly by `seed`. The first triples of a seed do not depend on their number.

    `source` is another dataset of ten classes of grey images to stack; its validation split is not
    used. `data_dir` locates MNIST. The common options apply to the single digits: training does not
    see the digit `drop_class`, nor the digits of the validation triples. `data_fraction` also
    scales the numbers of triples. `binarize` and `drop_class` give the four data modes: binary or
    float × missing or complete.

    L. Metz et al., Unrolled GANs (2017), arXiv:1611.02163; A. Srivastava et al., VEEGAN (2017),
    arXiv:1705.07761; Z. Lin et al., PacGAN (2018), arXiv:1712.04086.
    """

    num_images: int = 128_000
    num_test: int = 10_000
    seed: int = 0
    source: ImageData | None = None
    data_dir: str | Path | None = None

    name = "stacked"
    # The literature counts the 1,000 modes of 26,000 samples.
    usual_samples = 26_000

    def __post_init__(self):
        for option, least in {"num_images": 1, "num_test": 1, "seed": 0}.items():
            whole_number(option, getattr(self, option), least)
        super().__post_init__()
        triples = Fraction(float(self.data_fraction)) * (self.num_images + self.num_test)
        # Three rows, three labels and their sum, of eight bytes each.
        require_memory("Stacking", int(56 * triples), "lower num_images or num_test")
        count = round(self.num_images * self.data_fraction)
        num_valid = round(count * self.validation_fraction)
        num_test = round(self.num_test * self.data_fraction)
        if count == num_valid or num_test == 0 or (self.x_valid is not None and num_valid == 0):
            raise InputError(
                f"num_images={self.num_images} and num_test={self.num_test} are too few for "
                f"data_fraction={self.data_fraction} and "
                f"validation_fraction={self.validation_fraction}."
            )
        train, test, valid = np.random.SeedSequence(self.seed).spawn(3)
        self.x_train, self.y_train = _stack(self.x_train, self.y_train, count - num_valid, train)
        self.x_test, self.y_test = _stack(self.x_test, self.y_test, num_test, test)
        if self.x_valid is not None:
            self.x_valid, self.y_valid = _stack(self.x_valid, self.y_valid, num_valid, valid)
        self.image_shape = (*self.image_shape[:2], 3)
        self.class_names = tuple(f"{label:03d}" for label in range(1000))

    def read(self) -> tuple[Split, ...]:
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

    def shown_classes(self) -> np.ndarray:
        return super().shown_classes()[:, None] // PLACES % 10

    @property
    def separable_classes(self) -> range:
        return range(10)


def _stack(
    images: np.ndarray | LazyImages, labels: np.ndarray, count: int, stream: np.random.SeedSequence
) -> tuple[StackedImages, np.ndarray]:
    rows = np.random.default_rng(stream).integers(len(images), size=(count, 3))
    return StackedImages(images, rows), labels[rows] @ PLACES
