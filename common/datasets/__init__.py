"""Image datasets: `x_train, y_train, x_test, y_test`, `image_shape`, `num_classes`."""

import os
from dataclasses import fields
from pathlib import Path

from common import zoo
from common.datasets.base import ImageData
from common.datasets.cars import CarsData
from common.datasets.celeba import CelebAData
from common.datasets.cifar10 import CIFAR10Data
from common.datasets.digits import DigitsData
from common.datasets.image_folder import ImageFolderData
from common.datasets.lazy_arrays import StoredRows
from common.datasets.mnist import FashionMNISTData, MNISTData
from common.datasets.polynomials import PolynomialData
from common.datasets.stacked_mnist import StackedImages, StackedMNISTData
from common.errors import InputError

__all__ = [
    "CIFAR10Data",
    "CarsData",
    "CelebAData",
    "DigitsData",
    "FashionMNISTData",
    "ImageData",
    "ImageFolderData",
    "MNISTData",
    "PolynomialData",
    "StackedImages",
    "StackedMNISTData",
    "StoredRows",
    "is_folder",
    "load",
    "load_or_digits",
]


def is_folder(name: str) -> bool:
    """Whether a name that is not a dataset's means a folder of images: a path always does."""
    return bool(os.path.dirname(name)) or os.path.isdir(os.path.expanduser(name))


def load(name: str | Path, **options) -> ImageData:
    """The dataset that the command line calls `name`, with the options of its class.

    `name` may also be a folder of images; every name with a path separator counts as one.

    Raises:
        InputError: there is no such dataset or folder, or it does not take one of the options.
    """
    name = os.fspath(name)
    row, place = zoo.dataset(name), {}
    if row is None or row.name == zoo.FOLDER:
        if not is_folder(name):
            known = ", ".join(known for known in zoo.DATASETS if known != zoo.FOLDER)
            raise InputError(
                f"There is no dataset {name!r}: choose one of {known}, or give the path of a "
                "folder of images."
            )
        row, place = zoo.DATASETS[zoo.FOLDER], {"folder": name}
    dataset = row.load()
    known = [field.name for field in fields(dataset) if field.name not in place]
    if unknown := [option for option in options if option not in known]:
        raise InputError(
            f"The dataset {name} has no option {', '.join(unknown)}: it takes {', '.join(known)}."
        )
    return dataset(**place, **options)


def load_or_digits(name: str, **options) -> ImageData:
    """`load`, but if MNIST cannot be loaded it says so and loads `DigitsData` instead."""
    try:
        return load(name, **options)
    except InputError as error:
        if name not in ("mono", "mnist"):
            raise
        print(f"{error}\nThe following runs on digits instead, scikit-learn's small images.")
        return load("digits", **options)
