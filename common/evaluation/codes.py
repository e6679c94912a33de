"""The distribution of codes: their spread, a mixture of them, and how strange others are to it."""

from collections.abc import Sequence

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from common.evaluation.checks import require_finite

MIXTURE_COMPONENTS = 50
FITTED_CODES = 20_000
# Of all the codes together: the codes of large maps are fewer.
FITTED_NUMBERS = 2**24
# Beyond so many dimensions a covariance takes more codes than there are, and minutes.
FULL_DIMENSIONS = 64
TRAVERSED = 16


def flat(codes: np.ndarray) -> np.ndarray:
    """Codes that may be maps, (N, ...), as vectors (N, D)."""
    return codes.reshape(len(codes), -1)


def traversal_codes(
    codes: np.ndarray, shares: Sequence[float], dimensions: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Codes that leave the first of `codes` along one dimension at a time.

    Args:
        codes: (N, D), or maps (N, h, w, D), whose channels are moved as wholes, by their means.
        shares: in [0, 1]: each walk goes through these quantiles of its dimension.
        dimensions: which ones, counted from 0; None for those 16 that vary most, or all if fewer.

    Returns:
        The walks, (rows, len(shares), D) or (rows, len(shares), h, w, D), and the dimension that
        each row moves.
    """
    require_finite("The codes", codes)
    means = codes.mean(axis=tuple(range(1, codes.ndim - 1)))
    if dimensions is None:
        dimensions = np.argsort(-means.var(axis=0), kind="stable")[:TRAVERSED]
    values = np.quantile(means, shares, axis=0)
    walks = np.tile(codes[0], (len(dimensions), len(shares), *[1] * (codes.ndim - 1)))
    for walk, dimension in zip(walks, dimensions, strict=True):
        moves = values[:, dimension] - means[0, dimension]
        walk[..., dimension] += moves.reshape(-1, *[1] * (codes.ndim - 2))
    return walks, np.asarray(dimensions)


def code_mixture(codes: np.ndarray) -> GaussianMixture:
    """A Gaussian mixture, fitted to the first 20,000 codes (N, D), fewer beyond D of 838.

    Its covariances are full up to 64 dimensions, diagonal beyond.
    """
    require_finite("The codes", codes)
    # In float32 the covariances of narrow components come out as not positive.
    most = min(FITTED_CODES, FITTED_NUMBERS // codes.shape[1])
    fitted = np.asarray(codes[:most], np.float64)
    components = min(MIXTURE_COMPONENTS, len(fitted) // 10 or 1)
    kind = "full" if fitted.shape[1] <= FULL_DIMENSIONS else "diag"
    mixture = GaussianMixture(components, covariance_type=kind, reg_covar=1e-4, random_state=0)
    # Thousands of small products: several threads wait for one another longer than they compute.
    with threadpool_limits(1):
        return mixture.fit(fitted)


def code_density(known: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """−log density in nats of codes (N, D) under the mixture of the known ones (M, D): (N,)."""
    require_finite("The codes", codes)
    mixture = code_mixture(known)
    with threadpool_limits(1):
        return -mixture.score_samples(np.asarray(codes, np.float64))


def code_distance(known: np.ndarray, codes: np.ndarray, neighbours: int = 5) -> np.ndarray:
    """The mean Euclidean distance of codes (N, D) to their nearest known ones (M, D): (N,)."""
    require_finite("The codes", known)
    require_finite("The codes", codes)
    search = NearestNeighbors(n_neighbors=min(neighbours, len(known))).fit(known[:FITTED_CODES])
    return search.kneighbors(codes)[0].mean(axis=1)
