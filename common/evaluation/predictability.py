"""What a classifier's probabilities say about images that a model made.

Probabilities are (N, K), or (N, C, K) for images whose C channels show a class each (stacked
digits). Such an image has the class Σ class_c · K^c of K^C classes, and its probability is the
product of its channels' highest ones. An image is predictable if its probability is at least the
`tolerance`, in (0, 1].
"""

from numbers import Real

import numpy as np

from common.errors import InputError, numbers


def predicted_classes(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The most probable class of each image, int64 (N,), and its probability, (N,)."""
    channels = _by_channel(probabilities)
    powers = channels.shape[2] ** np.arange(channels.shape[1])
    return channels.argmax(axis=2) @ powers, channels.max(axis=2).prod(axis=1)


def predictability(probabilities: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of images that are predictable."""
    return float(_predictable(probabilities, tolerance)[1].mean())


def accuracy(probabilities: np.ndarray, labels: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of images that are predictable and of the right class, labels int (N,).

    An unpredictable image counts as wrong: this never exceeds the predictability.
    """
    classes, predictable = _predictable(probabilities, tolerance)
    labels = numbers("The labels", labels)
    if labels.shape != classes.shape:
        raise InputError(
            f"Labels are {labels.shape} for {len(classes)} images; expected one for each."
        )
    return float((predictable & (classes == labels)).mean())


def class_coverage(probabilities: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of the K (or K^C) classes that occur among predictable images."""
    classes, predictable = _predictable(probabilities, tolerance)
    _, num_channels, per_channel = _by_channel(probabilities).shape
    return len(np.unique(classes[predictable])) / per_channel**num_channels


def _by_channel(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities as (N, C, K), with C = 1 for (N, K)."""
    # The slack is for rounding in half precision.
    probabilities = numbers("The probabilities", probabilities, None, -1e-3, 1 + 1e-3)
    if probabilities.ndim not in (2, 3):
        raise InputError(
            f"The probabilities are {probabilities.shape}; expected (N, K), or (N, C, K)."
        )
    return probabilities.reshape(len(probabilities), -1, probabilities.shape[-1])


def _predictable(probabilities: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The class of each image, int64 (N,), and whether it is predictable, bool (N,)."""
    if not isinstance(tolerance, Real) or not 0 < tolerance <= 1:
        raise InputError(f"tolerance={tolerance!s:.40} is outside (0, 1]: give one such as 0.8.")
    classes, probability = predicted_classes(probabilities)
    return classes, probability >= tolerance
