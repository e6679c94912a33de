"""The distribution of codes: their spread, a mixture fitted to them, and how far others are off."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from common.errors import LARGEST, InputError, numbers, real_array, rows_of, whole_number
from common.images import unit_batches

MIXTURE_COMPONENTS = 50
FITTED_CODES = 20_000
# A full covariance of more dimensions would need more codes than there are, and minutes.
FULL_DIMENSIONS = 64


def flat(codes: np.ndarray) -> np.ndarray:
    """Codes (N, ...), vectors or maps, as vectors (N, D)."""
    codes = rows_of("The codes", real_array("The codes", codes))
    return codes.reshape(len(codes), -1)


def encode_in_batches(
    encode: Callable[[np.ndarray], np.ndarray], images: Any, most: int | None = FITTED_CODES
) -> np.ndarray:
    """Flat codes (N, D) of the first images, read and encoded block by block.

    Args:
        encode: float32 images in [0, 1], (n, H, W, C), to codes (n, ...).
        images: uint8 or floats in [0, 1], (M, H, W, C), in memory or lazy.
        most: how many of the first images; None for all.
    """
    if most is not None:
        whole_number("most", most)
    images = rows_of("The images", images)
    blocks = (real_array("The codes", encode(block)) for _, block in unit_batches(images, most))
    return flat(np.concatenate([*blocks]))


def traversal_codes(
    codes: np.ndarray, shares: Sequence[float], dimensions: Sequence[int] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Copies of the first of `codes` in which one dimension at a time takes other values.

    Args:
        codes: (N, D), or maps (N, h, w, D), where whole channels move, by their means.
        shares: in [0, 1]: the quantiles of a dimension that it takes in turn.
        dimensions: which ones, counted from 0; None for the 16 of largest variance.

    Returns:
        The codes, (rows, len(shares), D) or (rows, len(shares), h, w, D), and the dimension that
        changes in each row, (rows,).
    """
    codes, columns = _codes(codes), numbers("The shares", shares, ("S",), 0, 1)
    if codes.ndim < 2:
        raise InputError(f"The codes have shape {codes.shape}; expected (N, D) or (N, h, w, D).")
    means = codes.mean(axis=tuple(range(1, codes.ndim - 1)))
    largest = np.argsort(-means.var(axis=0), kind="stable")[:16]
    chosen = largest
    if dimensions is not None:
        chosen = real_array("The dimensions", dimensions)
        numbers("The dimensions", chosen, ("rows",), 0, codes.shape[-1] - 1)
        if chosen.dtype.kind == "f":
            raise InputError(f"Got dimensions={dimensions}; expected whole numbers.")
    values = np.quantile(means, columns, axis=0)
    moved = np.tile(codes[0], (len(chosen), len(columns), *[1] * (codes.ndim - 1)))
    for row, dimension in zip(moved, chosen, strict=True):
        moves = values[:, dimension] - means[0, dimension]
        row[..., dimension] += moves.reshape(-1, *[1] * (codes.ndim - 2))
    return moved, chosen


class CodeMixture:
    """A Gaussian mixture fitted once to codes, to sample from and to compare others with.

    It is fitted to the first 20,000 codes (fewer if D exceeds 838), finite (N, D), with full
    covariances up to 64 dimensions and diagonal ones beyond.
    """

    def __init__(self, codes: np.ndarray):
        codes = _codes(codes, ("N", "D"))
        if len(codes) < 2:
            raise InputError("Got one code; a mixture needs at least two.")
        # In float32 the covariances of narrow components are not positive definite.
        most = min(FITTED_CODES, 2**24 // codes.shape[1])
        fitted = np.asarray(codes[:most], np.float64)
        fewest = max(10, 2 * fitted.shape[1])  # codes to a component, which has many covariances
        components = min(MIXTURE_COMPONENTS, len(fitted) // fewest or 1)
        kind = "full" if fitted.shape[1] <= FULL_DIMENSIONS else "diag"
        mixture = GaussianMixture(components, covariance_type=kind, reg_covar=1e-4, random_state=0)
        # Thousands of small products: more threads only wait for one another.
        with threadpool_limits(1):
            try:
                self.mixture = mixture.fit(fitted)
            except ValueError:
                raise InputError(
                    f"No mixture fits the {len(codes)} codes, which go from {codes.min():.3g} to "
                    f"{codes.max():.3g}: scale them to about 1."
                ) from None

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """`count` codes, float64 (count, D), in random order."""
        count = whole_number("count", count)
        # scikit-learn returns them sorted by component.
        drawn, _ = self.mixture.set_params(random_state=seed).sample(count)
        return np.random.default_rng(seed).permutation(drawn)

    def nll(self, codes: np.ndarray) -> np.ndarray:
        """−log density in nats, float64 (N,), of codes (N, D)."""
        codes = _codes(codes, ("N", self.mixture.n_features_in_))
        with threadpool_limits(1):
            return -self.mixture.score_samples(np.asarray(codes, np.float64))


def code_distance(known: np.ndarray, codes: np.ndarray, neighbours: int = 5) -> np.ndarray:
    """The mean Euclidean distance of codes (N, D) to their nearest known ones (M, D): (N,)."""
    known = _codes(known, ("M", "D"))
    codes = _codes(codes, ("N", known.shape[1]))
    neighbours = whole_number("neighbours", neighbours)
    search = NearestNeighbors(n_neighbors=min(neighbours, len(known))).fit(known[:FITTED_CODES])
    return search.kneighbors(codes)[0].mean(axis=1)


def _codes(codes: Any, shape: tuple[str | int, ...] | None = None) -> np.ndarray:
    return numbers("The codes", codes, shape, -LARGEST, LARGEST)
