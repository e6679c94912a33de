"""How well a generated set of feature vectors fills the region of a real one."""

import math
from typing import Any

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min

from common.errors import InputError, numbers, real_array, rows_of, whole_number
from common.evaluation.fidelity import ball_counts
from common.images import unit_batches, unit_range


def density_and_coverage(
    real: np.ndarray, generated: np.ndarray, k: int = 5
) -> tuple[float, float]:
    """Density and coverage of Naeem et al. 2020 ("Reliable fidelity and diversity metrics").

    A ball around each real vector reaches to its k-th nearest other real vector. Density (eq. 4) is
    the mean number of balls around a generated vector, divided by k: about 1 for a perfect sampler,
    more if samples crowd where the data are dense. Coverage (eq. 5) is the share of balls that hold
    a generated vector; a perfect sampler reaches `coverage_ceiling`.

    Args:
        real: float (N, D), finite, N > k.
        generated: float (M, D), finite, M > 0.
        k: which neighbour gives the radius; the paper takes `smallest_neighbour`, 5 for N = M.
    """
    held, holding = ball_counts(real, generated, k, np.less)
    return float(holding.mean() / k), float((held > 0).mean())


def coverage_ceiling(num_real: int, num_generated: int, k: int = 5) -> float:
    """The coverage that a perfect sampler reaches on average (Naeem et al. 2020, Lemma 2).

    A ball stays empty if the k nearest of all other vectors are real. So the coverage is
    1 − Π_{i=1…k} (N − i) / (N + M − i), whatever the distribution and its dimension.
    """
    whole_number("num_generated", num_generated)
    whole_number("num_real", num_real, least=whole_number("k", k) + 1)
    return 1 - math.prod((num_real - i) / (num_real + num_generated - i) for i in range(1, k + 1))


def smallest_neighbour(num_real: int, num_generated: int) -> int:
    """The paper's k: the smallest whose `coverage_ceiling` exceeds 0.95.

    The fewer generated vectors, the wider the balls must be: k is 5 for N = M and 8 for N = 2 M.

    Raises:
        InputError: too few generated vectors for any k.
    """
    whole_number("num_real", num_real, least=0)
    whole_number("num_generated", num_generated, least=0)
    empty = 1.0
    for k in range(1, num_real):
        empty *= (num_real - k) / (num_real + num_generated - k)
        if 1 - empty > 0.95:
            return k
    raise InputError(
        f"With {num_real} real and {num_generated} generated vectors no k gives a perfect sampler "
        "a coverage above 0.95: generate more."
    )


def nearest_images(samples: np.ndarray, images: Any) -> np.ndarray:
    """The index, int64 (N,), of the image nearest to each sample: Euclidean, over all pixels.

    Args:
        samples: uint8 or floats in [0, 1], (N, H, W, C).
        images: uint8 or floats in [0, 1], (M, H, W, C), in memory or lazy; read block by block.
    """
    return nearest(samples, images)[0]


def nearest(samples: np.ndarray, images: Any) -> tuple[np.ndarray, np.ndarray]:
    """`nearest_images`, and the distances to them, float64 (N,)."""
    samples = numbers("The samples", unit_range(real_array("The samples", samples)))
    images = rows_of("The images", images)
    if samples.shape[1:] != tuple(images.shape[1:]) or samples.ndim < 2:
        raise InputError(
            f"The samples are {samples.shape}, the images {tuple(images.shape)}; expected the same "
            "but for their number."
        )
    flat = samples.reshape(len(samples), -1)
    best = np.full(len(flat), np.inf)
    index = np.zeros(len(flat), np.int64)
    for rows, block in unit_batches(images):
        known = numbers("The images", block).reshape(len(block), -1)
        found, distance = pairwise_distances_argmin_min(flat, known)
        index = np.where(distance < best, rows.start + found, index)
        best = np.minimum(distance, best)
    return index, best
