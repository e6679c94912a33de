"""95 % intervals of figures over bootstrap resamples (Efron and Tibshirani 1993, chapter 13).

Those of distances lie about the distance itself: what it is off because vectors are few is the same
for all that are measured by its protocol, and resamples are off once more.
"""

from collections.abc import Callable

import numpy as np
from scipy import linalg
from sklearn.metrics.pairwise import polynomial_kernel

RESAMPLES = 200
LEVELS = (0.025, 0.975)
ROWS = 1000

Interval = tuple[float, float]


def about(value: float, replicates: np.ndarray) -> Interval:
    """The interval of a distance whose resamples gave the replicates, (RESAMPLES,)."""
    low, high = value + np.quantile(replicates, LEVELS) - replicates.mean()
    return float(low), float(high)


def of_statistic(
    values: np.ndarray, statistic: Callable[[np.ndarray], float], seed: int = 0
) -> Interval:
    """The interval of `statistic(values)`, over resamples of the rows of the values, (N, …)."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.quantile([statistic(values[row]) for row in rows], LEVELS)
    return float(low), float(high)


def of_frechet_distance(
    value: float, real: np.ndarray, generated: np.ndarray, seed: int = 0
) -> Interval:
    """The interval of the `frechet_distance` of two sets, (N, D) and (M, D)."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        (mean, root), (other, second) = (
            moments(vectors, weights(len(vectors), rng)) for vectors in (real, generated)
        )
        # tr (ΣT)^½ is the sum of the singular values of Σ^½ T^½, for any roots Σ = A Aᵀ.
        mixed = linalg.svdvals(root.T @ second).sum()
        traces = np.square(root).sum() + np.square(second).sum()
        found.append(np.square(mean - other).sum() + traces - 2 * mixed)
    return about(value, np.array(found))


def of_kernel_distance(
    value: float, real: np.ndarray, generated: np.ndarray, seed: int = 0
) -> Interval:
    """The interval of the `kernel_distance` of two sets, (N, D) and (M, D)."""
    rng = np.random.default_rng(seed)
    ours, theirs = (
        np.stack([weights(len(vectors), rng) for _ in range(RESAMPLES)], axis=1)
        for vectors in (real, generated)
    )

    def mean(first: np.ndarray, w: np.ndarray, second: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The weighted mean of the kernel over pairs, of one set over pairs of different ones."""
        total, pairs = np.zeros(RESAMPLES), w.sum(axis=0) * v.sum(axis=0)
        for start in range(0, len(first), ROWS):
            rows = slice(start, start + ROWS)
            kernel = polynomial_kernel(first[rows], second, degree=3)
            total += (w[rows] * (kernel @ v)).sum(axis=0)
        if first is second:
            own = (np.square(first).mean(axis=1) + 1) ** 3
            total, pairs = total - own @ w**2, pairs - (w**2).sum(axis=0)
        return total / pairs

    across = mean(real, ours, generated, theirs)
    within = mean(real, ours, real, ours) + mean(generated, theirs, generated, theirs)
    return about(value, within - 2 * across)


def weights(count: int, rng: np.random.Generator) -> np.ndarray:
    """How often each of `count` rows occurs in a resample, float (count,)."""
    return np.bincount(rng.integers(count, size=count), minlength=count).astype(float)


def moments(vectors: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of a resample, (D,), and a root A of its covariance, A Aᵀ, (D, D)."""
    mean = w @ vectors / w.sum()
    centred = (vectors - mean) * np.sqrt(w)[:, None]
    values, basis = linalg.eigh(centred.T @ centred / (w.sum() - 1))
    return mean, basis * np.sqrt(values.clip(0))
