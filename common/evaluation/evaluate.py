"""Figures of anybody's samples and models, each with its interval and its protocol.

Models come in as functions of arrays, so that any framework's are measured by the same lines.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from common.errors import InputError, numbers, real_array
from common.evaluation import intervals
from common.evaluation.coverage import nearest, smallest_neighbour
from common.evaluation.fidelity import ball_counts, frechet_distance, kernel_distance
from common.evaluation.modes import kl_to_uniform, mode_histogram, modes_covered, require_samples
from common.evaluation.polynomials import outside_span
from common.evaluation.predictability import predicted_classes
from common.evaluation.protocol import Figure, Protocol
from common.images import unit_range

COMPARED = 1000
NEIGHBOUR = 3  # of precision and recall
# A sample closer to a training image than all but this share of the test images is a copy.
CLOSEST = 0.01

Features = Callable[[np.ndarray], np.ndarray]


def evaluate(
    samples: np.ndarray,
    reference: Any,
    protocol: Protocol,
    *,
    features: Features | None = None,
    classify: Features | None = None,
    num_modes: int | None = None,
    tolerance: float = 0.8,
    training: Any = None,
    polynomial: bool = False,
) -> dict[str, Figure]:
    """Judge samples, whoever made them.

    Args:
        samples: (N, H, W, C), uint8 or float in [0, 1].
        reference: real images that the model has not seen, (M, H, W, C), uint8 or in [0, 1].
        protocol: what the figures depend on; each of them carries it.
        features: images (n, H, W, C) to vectors (n, D), for the distances `frechet_distance` and
            `kernel_distance`, `precision` and `recall` (k = 3), `density` and `coverage` (the
            paper's k).
        classify: images to class probabilities (n, K), or (n, C, K) for one class a channel, for
            `predictability`, `modes` and `modes_kl`.
        num_modes: classes of the data; K by default, or K^C.
        tolerance: least probability of a predictable image.
        training: the images that the model has seen, for `copies`: the share of the first 1,000
            samples that are nearer to one of them than 99 % of 1,000 reference images are.
        polynomial: whether to measure `outside_span_median`, for contours of polynomials.

    Raises:
        InputError: samples or images that cannot be compared, or too few.
    """
    samples = numbers("The samples", unit_range(real_array("The samples", samples)))
    shape = tuple(reference.shape[1:])
    if samples.shape[1:] != shape:
        raise InputError(
            f"The samples are {samples.shape[1:]} and the real images {shape}; give samples of the "
            "real images' size and channels."
        )
    found: dict[str, tuple[float, intervals.Interval]] = {}
    if features is not None:
        found |= fidelity(features(unit_range(np.asarray(reference))), features(samples))
    if classify is not None:
        found |= classes(classify(samples), num_modes, tolerance)
    if polynomial:
        found["outside_span_median"] = measured(outside_span(samples), np.median)
    if training is not None:
        found["copies"] = measured(copied(samples[:COMPARED], reference[:COMPARED], training))
    return {name: Figure(value, *ends, protocol) for name, (value, ends) in found.items()}


def evaluate_images(values: Mapping[str, np.ndarray], protocol: Protocol) -> dict[str, Figure]:
    """Figures that are means over images, such as the squared error or -log p(x), (N,) each."""
    found = {name: measured(numbers(name, part, ("N",))) for name, part in values.items()}
    return {name: Figure(value, *ends, protocol) for name, (value, ends) in found.items()}


def measured(values: np.ndarray, statistic: Any = np.mean) -> tuple[float, intervals.Interval]:
    """A statistic of values for each image, and its interval."""
    return float(statistic(values)), intervals.of_statistic(np.asarray(values), statistic)


def fidelity(real: np.ndarray, generated: np.ndarray) -> dict[str, Any]:
    """How close two sets of features are."""
    distance = frechet_distance(real, generated)
    kernel = kernel_distance(real, generated)
    k = smallest_neighbour(len(real), len(generated))
    held, holding = ball_counts(real, generated, k, np.less)  # as `density_and_coverage`
    return {
        "frechet_distance": (distance, intervals.of_frechet_distance(distance, real, generated)),
        "kernel_distance": (kernel, intervals.of_kernel_distance(kernel, real, generated)),
        "precision": measured(ball_counts(real, generated, NEIGHBOUR)[1] > 0),
        "recall": measured(ball_counts(generated, real, NEIGHBOUR)[1] > 0),
        "density": measured(holding / k),
        "coverage": measured(held > 0),
    }


def classes(probabilities: np.ndarray, num_modes: int | None, tolerance: float) -> dict[str, Any]:
    """What a classifier sees in samples."""
    found, probability = predicted_classes(probabilities)
    known = num_modes or probabilities.shape[-1] ** int(np.prod(probabilities.shape[1:-1]))
    require_samples(len(found), known)

    def shown(of: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], float]:
        return lambda labels: of(mode_histogram(labels, known))

    return {
        "predictability": measured(probability >= tolerance),
        "modes": measured(found, shown(modes_covered)),
        "modes_kl": measured(found, shown(kl_to_uniform)),
    }


def copied(samples: np.ndarray, unseen: Any, training: Any) -> np.ndarray:
    """Which samples are copies of training images, bool (N,); see `evaluate`."""
    usual = nearest(np.asarray(unseen), training)[1]
    return nearest(samples, training)[1] < np.quantile(usual, CLOSEST)


def digest_of(parts: Sequence[np.ndarray]) -> str:
    """A short digest of arrays, by which a protocol names a feature network's weights."""
    import hashlib

    whole = hashlib.sha256()
    for part in parts:
        whole.update(np.ascontiguousarray(part).tobytes())
    return whole.hexdigest()[:12]
