"""What every image dataset offers, and the options they share."""

import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from common.datasets.lazy_arrays import LazyImages, SampledImages, StoredRows
from common.errors import InputError
from common.evaluation.modes import samples_needed

Split = tuple[np.ndarray | LazyImages, np.ndarray | None]


class _Facts(ABC):
    """What a dataset states about itself. In the dataclass below these would become options."""

    name: str
    dtype: type = np.uint8
    class_names: tuple[str, ...] = ()
    image_shape: tuple[int, int, int]
    usual_samples: int | None = None
    label_hint: str = ""


@dataclass(kw_only=True, eq=False)
class ImageData(_Facts):
    """Images, in memory or on disk, split into training, optional validation, and test.

    A subclass states its `name`, `class_names` and `image_shape` and how to `read` its raw arrays;
    the options and the checks are here. Its own options are dataclass fields.

    Options:
        data_fraction: share of the images to keep, in (0, 1]: the first ones of each split.
        drop_class: class to leave out of training and validation; the test images keep it.
        binarize: makes every pixel black or white. True: by a threshold in the middle of the range
            (127 and 0.5 become black). "sampled": white with the grey level as the probability;
            training images are drawn again at every reading (`SampledImages`), the others once.
        validation_fraction: share of the training images, in [0, 1), to validate with instead: the
            last ones, after the options above.

    Attributes:
        x_train, x_test: images (N, H, W, C) of `dtype`, uint8 or float in [0, 1]: an array, or
            `LazyImages`.
        y_train, y_test: labels int64 (N,), or None.
        x_valid, y_valid: the validation split, or None.
        image_shape: (H, W, C).
        num_classes: the number of classes, or None without labels.
        class_names: their names, in the order of the labels.
        origin: where the raw arrays came from, for error messages.
        content: digest of the decoded files and of all else that changes what is learned; None for
            a dataset that decodes none.
        usual_samples: the usual number of samples to measure a generator with, or None.
        label_hint: how to get labels, as the end of an error message.
    """

    data_fraction: float = 1.0
    drop_class: int | None = None
    binarize: bool | str = False
    validation_fraction: float = 0.0

    @abstractmethod
    def read(self) -> tuple[Split, ...]:
        """Raw (images, labels) of training, test and any validation; grey may be (N, H, W)."""

    def __post_init__(self):
        if not 0 < self.data_fraction <= 1:
            raise InputError(f"data_fraction={self.data_fraction} is outside (0, 1].")
        if self.binarize not in (False, True, "sampled"):
            raise InputError(f"binarize={self.binarize!r} is unknown: give True or 'sampled'.")
        if not 0 <= self.validation_fraction < 1:
            raise InputError(f"validation_fraction={self.validation_fraction} is outside [0, 1).")
        self.origin, self.content = self.name, None
        given = self.read()
        if self.content is None and getattr(self, "data_dir", None) is not None:
            arrays = [part for split in given for part in split if isinstance(part, np.ndarray)]
            # Somebody's own files may be replaced by others of the same names.
            digest = hashlib.sha256(b"".join(map(_digest, arrays)))
            self.content = digest.hexdigest()[:16]
        splits = zip(("training", "test", "validation"), given, strict=False)
        train, test, *published = (self._checked(part, split) for part, split in splits)
        if self.drop_class is not None and self.drop_class not in range(len(self.class_names)):
            raise InputError(
                f"Class {self.drop_class!r} cannot be left out: {self.origin} has "
                f"{self.num_classes or 'no'} classes, counted from 0."
            )
        rows = self._first(train, self.drop_class)
        kept = len(rows) - round(len(rows) * self.validation_fraction)
        self.x_train, self.y_train = self._part("training", train, rows[:kept])
        self.x_test, self.y_test = self._part("test", test, self._first(test))
        self.x_valid = self.y_valid = None
        if self.validation_fraction:
            self.x_valid, self.y_valid = self._part("validation", train, rows[kept:])
        elif published:
            rows = self._first(published[0], self.drop_class)
            self.x_valid, self.y_valid = self._part("validation", published[0], rows)

    @property
    def num_classes(self) -> int | None:
        """The number of classes, or None without labels."""
        return len(self.class_names) or None

    def shown_classes(self) -> np.ndarray:
        """The classes of the test images, int (N,), or int (N, C) if each channel shows one.

        Raises:
            InputError: there are no labels.
        """
        if self.y_test is None:
            raise InputError(f"{self.origin} has no labels, so no class can be left out.")
        return self.y_test

    @property
    def separable_classes(self) -> range:
        """The classes that training can leave out; an `InputError` if there are no labels."""
        self.shown_classes()
        return range(len(self.class_names))

    @property
    def least_samples(self) -> int:
        """The number of samples below which coverage of the data cannot be measured."""
        return samples_needed(self.num_classes) if self.num_classes else 1

    def report_samples(self, samples: np.ndarray) -> dict:
        """Figures of generated images (N, H, W, C) in [0, 1] that only this dataset can give."""
        return {}

    def _first(self, split: Split, without: int | None = None) -> np.ndarray:
        """The rows that `data_fraction` keeps, without a class."""
        images, labels = split
        rows = np.arange(round(len(images) * self.data_fraction))
        return rows if labels is None or without is None else rows[labels[rows] != without]

    def _part(self, part: str, split: Split, rows: np.ndarray) -> Split:
        images, labels = split
        if not len(rows):
            raise InputError(
                f"{self.origin}: the options leave no {part} images of {len(images)}; "
                "give a larger data_fraction or another validation_fraction."
            )
        change = self._black_or_white if self.binarize is True else None
        if isinstance(images, StoredRows):
            images = images.select(rows, change)
        else:
            images = change(images[rows]) if change else images[rows]
        if self.binarize == "sampled":
            seeds = {"training": 0, "validation": 1, "test": 2}
            images = SampledImages(images, seeds[part])
            if part != "training":
                images = np.asarray(images)
        return images, None if labels is None else labels[rows]

    def _black_or_white(self, images: np.ndarray) -> np.ndarray:
        white = 255 if self.dtype is np.uint8 else 1
        return (images > white / 2).astype(self.dtype) * self.dtype(white)

    def _checked(self, part: str, split: Split) -> Split:
        images, labels = split
        if images.ndim == 3 and self.image_shape[2] == 1:
            images = np.asarray(images)[..., None]
        if images.shape[1:] != self.image_shape or not len(images) or images.dtype != self.dtype:
            raise InputError(
                f"{self.origin}: the {part} images are {images.dtype} {split[0].shape}; expected "
                f"{np.dtype(self.dtype)} (N, {', '.join(map(str, self.image_shape))}) with N > 0."
            )
        if labels is not None:
            if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
                raise InputError(
                    f"{self.origin}: the {part} labels are {labels.dtype} {labels.shape}; "
                    f"expected one integer for each of {len(images)} images."
                )
            if labels.min() < 0 or labels.max() >= len(self.class_names):
                raise InputError(
                    f"{self.origin}: the {part} labels go from {labels.min()} to {labels.max()}; "
                    f"expected 0 to {len(self.class_names) - 1}, by its class_names."
                )
            labels = labels.astype(np.int64)
        return images, labels


def drawn_split(
    count: int, origin: str, test_fraction: float = 0.1, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The numbers 0 … count - 1 in random order, for training and for test, each at least one.

    An `InputError` that names `origin` refuses a single image.
    """
    if count < 2:
        raise InputError(f"{origin} holds one image that can be read; at least two are needed.")
    rows = np.random.default_rng(seed).permutation(count)
    num_test = min(max(1, round(count * test_fraction)), count - 1)
    return rows[num_test:], rows[:num_test]


def _digest(array: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(array).data).digest()
