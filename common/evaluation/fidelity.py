"""How close a generated set of feature vectors is to a real one: four figures of the literature.

Features are float `(N, D)`, such as a classifier's last maps. All figures depend on them and on the
numbers of vectors, so that only figures of the same features and numbers can be compared.
"""

from typing import Any

import numpy as np
from scipy import linalg
from sklearn.metrics import pairwise_distances_chunked
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from common.errors import LARGEST, InputError, numbers, whole_number

# Memory for distances, computed some rows at a time; larger blocks are no faster.
BLOCK_MIB = 128


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The squared Fréchet distance of the Gaussians with the two sets' moments.

    ‖μ − ν‖² + tr(Σ + T − 2 (ΣT)^½) (Heusel et al. 2017, equation 6; Dowson and Landau 1982). It
    falls with the number of vectors, as the covariances of few are wrong.

    Args:
        real: float (N, D), finite.
        generated: float (M, D), finite.

    Raises:
        InputError: fewer than D + 1 vectors in a set, whose covariance is then singular.
    """
    real, generated = feature_pair(real, generated)
    dimensions = real.shape[1]
    if (fewest := min(len(real), len(generated))) <= dimensions:
        raise InputError(
            f"Got {fewest} vectors of {dimensions} features; a covariance of these takes at least "
            f"{dimensions + 1}: give more images."
        )
    shift = real.mean(axis=0) - generated.mean(axis=0)
    first, second = (np.atleast_2d(np.cov(part, rowvar=False)) for part in (real, generated))
    # The trace of a root of ΣT, from the eigenvalues of the similar and symmetric Σ^½ T Σ^½.
    values, vectors = linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    mixed = linalg.eigvalsh(root @ second @ root).clip(0)
    return float(shift @ shift + np.trace(first + second) - 2 * np.sqrt(mixed).sum())


def kernel_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """The squared maximum mean discrepancy by the kernel (x·y / D + 1)³, without bias.

    The KID of Bińkowski et al. 2018, section 4, on all vectors at once; it is about 0, and can be
    below, for equal distributions, however few the vectors.

    Args:
        real: float (N, D), finite, N > 1.
        generated: float (M, D), finite, M > 1.
    """
    real, generated = feature_pair(real, generated)
    if min(len(real), len(generated)) < 2:
        raise InputError("Got a single vector; a kernel distance takes at least 2 of each kind.")

    def within(vectors: np.ndarray) -> float:
        """The mean over pairs of different vectors."""
        count, own = len(vectors), (np.square(vectors).mean(axis=1) + 1) ** 3
        return (kernel_sum(vectors, vectors) - own.sum()) / (count * (count - 1))

    across = kernel_sum(real, generated) / (len(real) * len(generated))
    return float(within(real) + within(generated) - 2 * across)


def kernel_sum(first: np.ndarray, second: np.ndarray) -> float:
    """The sum of (x·y / D + 1)³ over all pairs."""
    rows = max(1, BLOCK_MIB * 2**17 // len(second))
    blocks = (first[start : start + rows] for start in range(0, len(first), rows))
    return float(sum(polynomial_kernel(block, second, degree=3).sum() for block in blocks))


def precision_and_recall(
    real: np.ndarray, generated: np.ndarray, k: int = 3
) -> tuple[float, float]:
    """The improved precision and recall of Kynkäänniemi et al. 2019, equations 1 and 2.

    A ball around each vector reaches to its k-th nearest other of its set. Precision is the share
    of generated vectors within a real ball, recall that of real ones within a generated ball.

    Args:
        real: float (N, D), finite, N > k.
        generated: float (M, D), finite, M > k.
        k: which neighbour gives the radius; the paper takes 3.
    """
    precision = (ball_counts(real, generated, k)[1] > 0).mean()
    recall = (ball_counts(generated, real, k)[1] > 0).mean()
    return float(precision), float(recall)


def ball_counts(
    centres: np.ndarray, vectors: np.ndarray, k: int, within: Any = np.less_equal
) -> tuple[np.ndarray, np.ndarray]:
    """How many vectors each ball around a centre holds, (N,), and how many hold each vector, (M,).

    A ball reaches to the k-th nearest other centre; `within` says whether its rim is part of it.
    """
    centres, vectors = feature_pair(centres, vectors)
    radii = ball_radii(centres, k)
    held, holding = np.zeros(len(centres), int), []
    for distances in pairwise_distances_chunked(vectors, centres, working_memory=BLOCK_MIB):
        inside = within(distances, radii)
        held += np.count_nonzero(inside, axis=0)
        holding.append(np.count_nonzero(inside, axis=1))
    return held, np.concatenate(holding)


def ball_radii(vectors: np.ndarray, k: int) -> np.ndarray:
    """The distance of each vector to its k-th nearest other, (N,)."""
    if len(vectors) <= whole_number("k", k):
        raise InputError(f"Got {len(vectors)} vectors; balls to the neighbour k={k} need more.")
    neighbours = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(vectors)
    return neighbours.kneighbors()[0][:, -1]


def feature_pair(real: np.ndarray, generated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets as finite float64 vectors of the same dimension, or an `InputError`."""
    real = numbers("The real vectors", real, ("N", "D"), -LARGEST, LARGEST)
    shape = ("M", real.shape[1])
    generated = numbers("The generated vectors", generated, shape, -LARGEST, LARGEST)
    return real.astype(np.float64), generated.astype(np.float64)
