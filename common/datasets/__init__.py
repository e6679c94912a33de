"""Image datasets: `x_train, y_train, x_test, y_test` in memory, `image_shape`, `num_classes`."""

from dataclasses import fields

from common.datasets.base import ImageData
from common.datasets.digits import DigitsData
from common.datasets.mnist import FashionMNISTData, MNISTData
from common.datasets.polynomials import PolynomialData
from common.datasets.stacked_mnist import StackedImages, StackedMNISTData
from common.errors import InputError

__all__ = [
    "DATASETS",
    "DigitsData",
    "FashionMNISTData",
    "ImageData",
    "MNISTData",
    "PolynomialData",
    "StackedImages",
    "StackedMNISTData",
    "load",
    "load_or_digits",
]

DATASETS: dict[str, type[ImageData]] = {
    "mono": MNISTData,
    "digits": DigitsData,
    "fashion": FashionMNISTData,
    "polynomials": PolynomialData,
    "stacked": StackedMNISTData,
}


def load(name: str, **options) -> ImageData:
    """The dataset that the command line calls `name`, with the options of its class."""
    if name not in DATASETS:
        raise InputError(f"There is no dataset {name!r}: choose one of {', '.join(DATASETS)}.")
    known = [field.name for field in fields(DATASETS[name])]
    if unknown := [option for option in options if option not in known]:
        raise InputError(
            f"The dataset {name} has no option {', '.join(unknown)}: it takes {', '.join(known)}."
        )
    return DATASETS[name](**options)


def load_or_digits(name: str, **options) -> ImageData:
    """`load`, but where MNIST cannot be had it says so and takes `DigitsData` in its place."""
    try:
        return load(name, **options)
    except InputError as error:
        if name != "mono":
            raise
        print(f"{error}\nWhat follows therefore runs on digits, the small images of scikit-learn.")
        return load("digits", **options)
