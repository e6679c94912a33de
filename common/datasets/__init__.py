"""Image datasets: `x_train, y_train, x_test, y_test`, `image_shape`, `num_classes`."""

import os
from dataclasses import fields
from pathlib import Path

from common.datasets.base import ImageData
from common.datasets.cars import CarsData
from common.datasets.celeba import CelebAData
from common.datasets.cifar10 import CIFAR10Data
from common.datasets.digits import DigitsData
from common.datasets.image_folder import ImageFolderData
from common.datasets.mnist import FashionMNISTData, MNISTData
from common.datasets.polynomials import PolynomialData
from common.datasets.rows import Rows
from common.datasets.stacked_mnist import StackedImages, StackedMNISTData
from common.errors import InputError

__all__ = [
    "DATASETS",
    "CIFAR10Data",
    "CarsData",
    "CelebAData",
    "DigitsData",
    "FashionMNISTData",
    "ImageData",
    "ImageFolderData",
    "MNISTData",
    "PolynomialData",
    "Rows",
    "StackedImages",
    "StackedMNISTData",
    "is_folder",
    "load",
    "load_or_digits",
]

DATASETS: dict[str, type[ImageData]] = {
    "mono": MNISTData,
    "digits": DigitsData,
    "fashion": FashionMNISTData,
    "polynomials": PolynomialData,
    "stacked": StackedMNISTData,
    "cifar10": CIFAR10Data,
    "celeba": CelebAData,
    "cars": CarsData,
}


def is_folder(name: str) -> bool:
    """Whether `name`, which is no dataset's, means a folder of images."""
    separators = {os.sep, os.altsep} - {None}
    path = any(separator in name for separator in separators)
    return path or (name != "" and Path(name).expanduser().is_dir())


def load(name: str | Path, **options) -> ImageData:
    """The dataset that the command line calls `name`, with the options of its class.

    The path of a folder, as which every name with a path separator counts, gives its images.
    """
    name = os.fspath(name)
    if name not in DATASETS and not is_folder(name):
        raise InputError(
            f"There is no dataset {name!r}: choose one of {', '.join(DATASETS)}, or give the path "
            "of a folder of images."
        )
    place = {} if name in DATASETS else {"folder": name}
    dataset = DATASETS.get(name, ImageFolderData)
    known = [field.name for field in fields(dataset) if field.name not in place]
    if unknown := [option for option in options if option not in known]:
        raise InputError(
            f"The dataset {name} has no option {', '.join(unknown)}: it takes {', '.join(known)}."
        )
    return dataset(**place, **options)


def load_or_digits(name: str, **options) -> ImageData:
    """`load`, but where MNIST cannot be had it says so and takes `DigitsData` in its place."""
    try:
        return load(name, **options)
    except InputError as error:
        if name != "mono":
            raise
        print(f"{error}\nWhat follows therefore runs on digits, the small images of scikit-learn.")
        return load("digits", **options)
