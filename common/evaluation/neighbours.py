"""How well a generated set of feature vectors fills the region of a real one."""

import math

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from common.errors import InputError
from common.evaluation.blocks import unit_blocks
from common.evaluation.checks import require_finite

# The distances are made a block of rows at a time; larger blocks are no faster.
_BLOCK_MIB = 128


def density_and_coverage(
    real: np.ndarray, generated: np.ndarray, k: int = 5
) -> tuple[float, float]:
    """Density and coverage of Naeem et al. 2020 ("Reliable fidelity and diversity metrics").

    Around each real vector lies a ball that reaches to its k-th nearest other real vector.
    Density (their eq. 4) is the mean, over the generated vectors, of the number of balls that hold
    it, divided by k: about 1 for a perfect sampler, more where samples crowd where the data do.
    Coverage (eq. 5) is the share of the balls that hold at least one generated vector; what a
    perfect sampler reaches is `coverage_ceiling`.

    Args:
        real: float (N, D), more than k of them.
        generated: float (M, D).
        k: which neighbour gives the radius; the paper takes 5 for N = M, else see
            `smallest_neighbour`.
    """
    real, generated = np.asarray(real), np.asarray(generated)
    if real.ndim != 2 or generated.ndim != 2 or real.shape[1:] != generated.shape[1:]:
        raise InputError(
            f"The real vectors are {real.shape} and the generated ones {generated.shape}; "
            "expected (N, D) and (M, D) with the same D."
        )
    if not 1 <= k < len(real) or not len(generated):
        raise InputError(
            f"k={k} with {len(real)} real and {len(generated)} generated vectors: k must be at "
            "least 1 and smaller than the number of real ones, and something must be generated."
        )
    require_finite("The real vectors", real)
    require_finite("The generated vectors", generated)

    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(real)
    radii = neighbours.kneighbors()[0][:, -1]
    hits = 0
    covered = np.zeros(len(real), bool)
    for distances in pairwise_distances_chunked(generated, real, working_memory=_BLOCK_MIB):
        inside = distances < radii
        hits += np.count_nonzero(inside)
        covered |= inside.any(axis=0)
    return float(hits / (k * len(generated))), float(covered.mean())


def coverage_ceiling(num_real: int, num_generated: int, k: int = 5) -> float:
    """The coverage to expect of a perfect sampler (Naeem et al. 2020, Lemma 2).

    A ball stays empty if the k nearest of all the other vectors are real ones:
    1 − Π_{i=1…k} (N − i) / (N + M − i), whatever the distribution and its dimension.
    """
    return 1 - math.prod((num_real - i) / (num_real + num_generated - i) for i in range(1, k + 1))


def smallest_neighbour(num_real: int, num_generated: int, expected: float = 0.95) -> int:
    """The k by the paper's rule: the smallest whose `coverage_ceiling` exceeds `expected`.

    The fewer the generated vectors, the wider the balls must be for a perfect sampler to hit them:
    5 for N = M, 8 for N = 2 M.
    """
    empty = 1.0
    for k in range(1, num_real):
        empty *= (num_real - k) / (num_real + num_generated - k)
        if 1 - empty > expected:
            return k
    raise InputError(
        f"With {num_real} real and {num_generated} generated vectors no k gives a perfect sampler "
        f"a coverage above {expected}: give more generated ones."
    )


def nearest_images(samples: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The index, int (N,), of the image nearest to each sample, by the distance of their pixels.

    Args:
        samples: floats in [0, 1], (N, H, W, C).
        images: uint8 or floats in [0, 1], (M, H, W, C), in memory or lazy; read block by block.
    """
    flat = samples.reshape(len(samples), -1).astype(np.float32)
    best = np.full(len(flat), np.inf, np.float32)
    index = np.zeros(len(flat), np.int64)
    for rows, block in unit_blocks(images):
        block = block.reshape(len(block), -1)
        # |s - x|² less |s|², which is the same for all x.
        distance = np.einsum("ij,ij->i", block, block) - 2 * flat @ block.T
        nearest = distance.argmin(axis=1)
        closer = distance[np.arange(len(flat)), nearest] < best
        best[closer] = distance[np.arange(len(flat)), nearest][closer]
        index[closer] = rows.start + nearest[closer]
    return index
