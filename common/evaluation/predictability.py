"""What a classifier's beliefs tell about images that a model made.

Beliefs are class probabilities, (N, K), or (N, C, K) for images whose C channels show a class each
(stacked digits). An image's belief is then the product of the highest belief of every channel and
its class Σ class_c · K^c, of K^C. A classifier is taken at its word where the belief reaches a
tolerance in (0, 1]; such images are called predictable.
"""

import numpy as np

from common.errors import InputError
from common.evaluation.checks import require_finite


def predicted_classes(beliefs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The class of each image, int64 (N,), and the belief in it, (N,)."""
    channels = _by_channel(beliefs)
    powers = channels.shape[2] ** np.arange(channels.shape[1])
    return channels.argmax(axis=2) @ powers, channels.max(axis=2).prod(axis=1)


def predictability(beliefs: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of the images that are predictable."""
    return float(_predictable(beliefs, tolerance)[1].mean())


def accuracy(beliefs: np.ndarray, labels: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of all images that are predictable and of the right class, labels int (N,).

    An image below the tolerance counts as wrong, so this never exceeds the predictability; their
    quotient is the accuracy among the predictable.
    """
    classes, predictable = _predictable(beliefs, tolerance)
    if np.shape(labels) != classes.shape:
        raise InputError(
            f"Labels are {np.shape(labels)} for {len(classes)} images; expected one for each."
        )
    return float((predictable & (classes == labels)).mean())


def class_coverage(beliefs: np.ndarray, tolerance: float = 0.8) -> float:
    """The share of the K (or K^C) classes that occur among the predictable images."""
    classes, predictable = _predictable(beliefs, tolerance)
    _, num_channels, per_channel = _by_channel(beliefs).shape
    return len(np.unique(classes[predictable])) / per_channel**num_channels


def _by_channel(beliefs: np.ndarray) -> np.ndarray:
    """Beliefs as (N, C, K), with C = 1 for (N, K)."""
    beliefs = np.asarray(beliefs)
    if beliefs.ndim not in (2, 3) or not beliefs.size:
        raise InputError(f"Beliefs are {beliefs.shape}; expected (N, K) or (N, C, K), N > 0.")
    require_finite("The beliefs", beliefs)
    return beliefs.reshape(len(beliefs), -1, beliefs.shape[-1])


def _predictable(beliefs: np.ndarray, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """The class of each image, int64 (N,), and whether it is predictable, bool (N,)."""
    if not 0 < tolerance <= 1:
        raise InputError(
            f"tolerance={tolerance} is outside (0, 1]: give the least belief to go by, such as 0.8."
        )
    classes, belief = predicted_classes(beliefs)
    return classes, belief >= tolerance
