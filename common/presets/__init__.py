"""Presets: a name → model and its arguments, data, and the full training recipe. Pure data."""

import copy

from common.errors import InputError
from common.presets.autoencoders import AUTOENCODERS
from common.presets.classifiers import CLASSIFIERS
from common.presets.conv_autoencoders import CONV_AUTOENCODERS
from common.presets.mnist_gans import MNIST_GANS
from common.presets.photo_gans import PHOTO_GANS
from common.presets.polynomial_gans import POLYNOMIAL_GANS

PRESETS: dict[str, dict] = {
    **AUTOENCODERS,
    **CONV_AUTOENCODERS,
    **CLASSIFIERS,
    **MNIST_GANS,
    **PHOTO_GANS,
    **POLYNOMIAL_GANS,
}


def names() -> list[str]:
    """The names of all presets."""
    return sorted(PRESETS)


def get(name: str) -> dict:
    """A preset of its own: `model`, `arguments`, `data`, `compile`, `fit`, `about`.

    Raises:
        InputError: an unknown name.
    """
    if name not in PRESETS:
        raise InputError(f"Preset {name!r} is unknown; choose from {', '.join(names())}.")
    return copy.deepcopy(PRESETS[name])
