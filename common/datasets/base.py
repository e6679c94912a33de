"""What every image dataset offers, and the options they share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from common.datasets.rows import Rows
from common.datasets.sampled import SampledImages
from common.errors import InputError

# Of the draws of "sampled" pixels.
SEEDS = {"training": 0, "validation": 1, "test": 2}

Split = tuple[np.ndarray | Rows, np.ndarray | None]


@dataclass(kw_only=True, eq=False)
class ImageData(ABC):
    """Images, in memory or read from disk, split into training, optional validation, and test.

    A dataset is a subclass that states its `name`, `class_names` and `image_shape` and how to
    `read` its raw arrays; the options and the checks are here. Its own options are dataclass
    fields.

    Options:
        data_fraction: the first part of the training and of the test images to keep, in (0, 1].
        drop_class: a class taken out of training and validation; the test set keeps it.
        binarize: makes every pixel black or white: True at the simple threshold, the middle of the
            range (127 and below becomes 0, above becomes 255; in float images 0.5, 0 and 1);
            "sampled" by chance, with the grey level as the probability of white, in training anew
            at every reading (`SampledImages`), in validation and test once.
        validation_fraction: the part of the training images, taken off their end after the two
            options above, that becomes the validation split, in [0, 1).

    Attributes:
        x_train, x_test: images (N, H, W, C), of `dtype`: an array, or what stays on disk (`Rows`).
        y_train, y_test: labels int64 (N,), or None where there are none.
        x_valid, y_valid: the validation split, or None without one.
        image_shape: (H, W, C).
        num_classes: how many classes the labels count, or None without labels.
        class_names: their names, in the order of the labels.
        origin: where the raw arrays came from; errors name it.
        content: a digest of the names, sizes and times of the files that the images were decoded
            from, and of what else decides what is learned; None where there are no such files.
    """

    data_fraction: float = 1.0
    drop_class: int | None = None
    binarize: bool | str = False
    validation_fraction: float = 0.0

    name: ClassVar[str]
    dtype: ClassVar[type] = np.uint8
    class_names: ClassVar[tuple[str, ...]] = ()
    image_shape: ClassVar[tuple[int, int, int]]

    @abstractmethod
    def read(self) -> tuple[Split, Split]:
        """The raw (images, labels) of training and test; grey images may lack the channel axis."""

    def __post_init__(self):
        if not 0 < self.data_fraction <= 1:
            raise InputError(
                f"data_fraction={self.data_fraction} is outside (0, 1]: "
                "give the share of the images to keep, 1 for all."
            )
        if self.binarize not in (False, True, "sampled"):
            raise InputError(
                f"binarize={self.binarize!r} is unknown: give False, True (at the threshold) or "
                '"sampled".'
            )
        if not 0 <= self.validation_fraction < 1:
            raise InputError(
                f"validation_fraction={self.validation_fraction} is outside [0, 1): "
                "give the share of the training images to validate on, 0 for none."
            )
        self.origin, self.content = self.name, None
        train, test = self.read()
        train, test = self._checked("training", *train), self._checked("test", *test)
        if self.drop_class is not None and self.drop_class not in range(self.num_classes or 0):
            raise InputError(
                f"Class {self.drop_class!r} cannot be left out: {self.origin} has "
                f"{self.num_classes or 'no'} classes, counted from 0."
            )
        rows = self.training_rows(train[1], len(train[0]))
        kept = len(rows) - round(len(rows) * self.validation_fraction)
        self.x_train, self.y_train = self._part("training", train, rows[:kept])
        self.x_valid = self.y_valid = None
        if self.validation_fraction:
            self.x_valid, self.y_valid = self._part("validation", train, rows[kept:])
        rows = np.arange(round(len(test[0]) * self.data_fraction))
        self.x_test, self.y_test = self._part("test", test, rows)

    @property
    def num_classes(self) -> int | None:
        """How many classes the labels count, or None without labels."""
        return len(self.class_names) or None

    def training_rows(self, labels: np.ndarray | None, count: int) -> np.ndarray:
        """The rows that `data_fraction` and `drop_class` keep of `count` images with `labels`."""
        rows = np.arange(round(count * self.data_fraction))
        return rows if self.drop_class is None else rows[labels[rows] != self.drop_class]

    def _part(self, part: str, split: Split, rows: np.ndarray) -> Split:
        if not len(rows):
            raise InputError(
                f"{self.origin}: the options leave no {part} images of {len(split[0])}; "
                "give a larger data_fraction or another validation_fraction."
            )
        images, labels = split
        changes = (self._black_or_white,) if self.binarize is True else ()
        if isinstance(images, Rows):
            images = images.select(rows, *changes)
        else:
            images = images[rows]
            for change in changes:
                images = change(images)
        if self.binarize == "sampled":
            images = SampledImages(images, SEEDS[part])
            if part != "training":
                images = np.asarray(images)
        return images, None if labels is None else labels[rows]

    def _black_or_white(self, images: np.ndarray) -> np.ndarray:
        white = 255 if self.dtype is np.uint8 else 1
        return (images > white / 2).astype(self.dtype) * self.dtype(white)

    def _checked(self, part: str, images: np.ndarray, labels: np.ndarray | None) -> Split:
        height, width, channels = self.image_shape
        shape = (height, width) if channels == 1 and images.ndim == 3 else self.image_shape
        if images.shape[1:] != shape or not len(images) or images.dtype != self.dtype:
            raise InputError(
                f"{self.origin}: the {part} images are {images.dtype} {images.shape}; expected "
                f"{np.dtype(self.dtype)} (N, {', '.join(map(str, self.image_shape))}) with N > 0."
            )
        if labels is not None:
            if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
                raise InputError(
                    f"{self.origin}: the {part} labels are {labels.dtype} {labels.shape}; "
                    f"expected one integer for each of {len(images)} images."
                )
            if labels.min() < 0 or labels.max() >= self.num_classes:
                raise InputError(
                    f"{self.origin}: the {part} labels go from {labels.min()} to {labels.max()}; "
                    f"expected 0 to {self.num_classes - 1}."
                )
            labels = labels.astype(np.int64)
        return images if images.ndim == 4 else images[..., None], labels
