"""The distribution of codes: a mixture fitted to them, and how strange further codes are to it."""

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

from common.evaluation.checks import require_finite

MIXTURE_COMPONENTS = 50
FITTED_CODES = 20_000


def code_mixture(codes: np.ndarray) -> GaussianMixture:
    """A Gaussian mixture with full covariances, fitted to the first 20,000 codes (N, D)."""
    require_finite("The codes", codes)
    # In float32 the covariances of narrow components come out as not positive.
    fitted = np.asarray(codes[:FITTED_CODES], np.float64)
    components = min(MIXTURE_COMPONENTS, len(fitted) // 10 or 1)
    return GaussianMixture(components, reg_covar=1e-4, random_state=0).fit(fitted)


def code_density(known: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """−log density in nats of codes (N, D) under the mixture of the known ones (M, D): (N,)."""
    return -code_mixture(known).score_samples(np.asarray(codes, np.float64))


def code_distance(known: np.ndarray, codes: np.ndarray, neighbours: int = 5) -> np.ndarray:
    """The mean Euclidean distance of codes (N, D) to their nearest known ones (M, D): (N,)."""
    require_finite("The codes", known)
    search = NearestNeighbors(n_neighbors=min(neighbours, len(known))).fit(known[:FITTED_CODES])
    return search.kneighbors(codes)[0].mean(axis=1)
