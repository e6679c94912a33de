"""How polynomial a grey image is, and how the polynomials of two sets of images compare."""

import numpy as np

from common.datasets.polynomials import monomials
from common.errors import InputError
from common.evaluation.checks import require_finite
from common.evaluation.neighbours import (
    coverage_ceiling,
    density_and_coverage,
    smallest_neighbour,
)

# Images are taken to float64 this many at a time, which bounds the memory.
_BLOCK = 2048


def outside_span(images: np.ndarray, max_degree: int = 5) -> np.ndarray:
    """Share of each image's variance that no polynomial of `max_degree` explains.

    It is 1 − R² of the least-squares fit: 0 for a polynomial (about 1e-14 in float32, 3e-5 after
    rounding to 8 bits) and 1 − (M − 1) / (P − 1) on average for white noise of P pixels and
    M monomials. Brightness and contrast do not change it. A constant image is a polynomial and
    has no variance: its share is 0, so that a generator which makes nothing else is betrayed by
    its coverage, not by this.

    Args:
        images: (N, S, S, 1), any real dtype and scale.
        max_degree: of the monomials x^i y^j, i + j <= max_degree.

    Returns:
        float64 (N,) in [0, 1].
    """
    coordinates, variance, _ = _project(images, max_degree)
    explained = np.square(coordinates[:, 1:]).sum(axis=1)
    share = 1 - np.divide(explained, variance, out=np.ones_like(variance), where=variance > 0)
    return share.clip(0, 1)


def fit_coefficients(images: np.ndarray, max_degree: int = 5) -> np.ndarray:
    """Least-squares coefficients of the monomials, ordered as `datasets.polynomials.exponents`.

    Solved through an orthonormal basis. The monomials themselves are ill-conditioned (condition
    number 5,000 at degree 5): rounding the pixels, to float32 or to 8 bits, comes back up to that
    much larger, so coefficients are for reading a polynomial, not for comparing two.

    Args:
        images: (N, S, S, 1), any real dtype; the coefficients are in the images' own scale.
        max_degree: as in `outside_span`.

    Returns:
        float64 (N, M), M = (max_degree + 1)(max_degree + 2) / 2, 21 at degree 5.
    """
    coordinates, _, triangle = _project(images, max_degree)
    return np.linalg.solve(triangle, coordinates.T).T


def shape_coordinates(images: np.ndarray, max_degree: int = 5) -> np.ndarray:
    """The polynomial part of each image after affine normalisation of its grey values.

    An image and its copies of other brightness and contrast get the same coordinates: the image is
    brought to zero mean and unit variance and its polynomial fit is written in an orthonormal basis
    of the span. Not by its range, as the dataset scales it: two extreme pixels set that, and a
    generator's noise moves them. And not in monomial coefficients, nor whitened ones: those weigh
    directions that hardly show in the image like those that make it. Here the distance of two
    images is the root mean square difference of their normalised polynomial parts.

    A polynomial lies on the unit sphere; an image partly outside the span lies inside it, at
    the radius √(1 − outside_span); a constant image, which has no contrast to normalise, at 0.

    Args:
        images: (N, S, S, 1), any real dtype and scale.
        max_degree: as in `outside_span`.

    Returns:
        float64 (N, M − 1).
    """
    coordinates, variance, _ = _project(images, max_degree)
    deviation = np.sqrt(variance)[:, None]
    shapes = coordinates[:, 1:]
    return np.divide(shapes, deviation, out=np.zeros_like(shapes), where=deviation > 0)


def polynomial_report(
    real: np.ndarray, generated: np.ndarray, max_degree: int = 5, k: int | None = None
) -> dict[str, float | int]:
    """How polynomial generated images are, and how well they fill the region of the real ones.

    Density and coverage (`density_and_coverage`) are those of the `shape_coordinates`. Constant
    real images are left out of the reference: they all share one point, around which no ball can
    be drawn. Constant generated ones stay, at distance 1 from every real one, and hit nothing but
    the widest balls: a perfect sampler's density is the share of real images with contrast.

    Args:
        real: (N, S, S, 1), the reference, any real dtype and scale.
        generated: (M, S, S, 1).
        max_degree: of the real images.
        k: the neighbour that gives a ball's radius; None for `smallest_neighbour`, 8 for 20,000
            real images and 10,000 generated ones.

    Returns:
        `outside_span_median` and `outside_span_p90` of the generated images, `density`, `coverage`,
        `coverage_ceiling` (to expect of a perfect sampler), `k`, `samples` (M), and `reference`,
        the number of real images used.
    """
    if np.shape(real)[1:] != np.shape(generated)[1:]:
        raise InputError(
            f"The real images are {np.shape(real)} and the generated ones {np.shape(generated)}; "
            "expected the same size: build the generator with the data's image_shape."
        )
    shapes = shape_coordinates(real, max_degree)
    reference = shapes[shapes.any(axis=1)]
    with_shape = round(len(generated) * len(reference) / len(shapes))
    if k is None:
        k = smallest_neighbour(len(reference), with_shape)
    density, coverage = density_and_coverage(reference, shape_coordinates(generated, max_degree), k)
    outside = outside_span(generated, max_degree)
    return {
        "outside_span_median": float(np.median(outside)),
        "outside_span_p90": float(np.quantile(outside, 0.9)),
        "density": density,
        "coverage": coverage,
        "coverage_ceiling": coverage_ceiling(len(reference), with_shape, k),
        "k": k,
        "samples": len(generated),
        "reference": len(reference),
    }


def _project(images: np.ndarray, max_degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coordinates (N, M) in an orthonormal basis, variances (N,), and the basis's triangle (M, M).

    The basis is orthonormal under the mean over pixels, and its first function is constant: an
    image's mean is in the first coordinate alone, and the squares of the others sum to the
    variance of its fit. The triangle takes monomial coefficients to coordinates.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 1:
        raise InputError(
            f"Images of shape {images.shape} were given; expected square grey ones, (N, S, S, 1)."
        )
    if not len(images) or not 0 <= max_degree < images.shape[1]:
        raise InputError(
            f"{len(images)} images of size {images.shape[1]} with max_degree={max_degree}: "
            "expected at least one image, and a degree from 0 to the size less 1."
        )
    require_finite("The images", images)
    pixels = images.reshape(len(images), -1)
    basis, triangle = np.linalg.qr(monomials(images.shape[1], max_degree))
    scale = np.sqrt(pixels.shape[1])
    coordinates = np.empty((len(pixels), basis.shape[1]))
    variance = np.empty(len(pixels))
    for start in range(0, len(pixels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = pixels[rows].astype(np.float64)
        coordinates[rows] = block @ basis / scale
        # The variance of equal numbers comes out as rounding error, not as 0.
        variance[rows] = np.where(np.ptp(block, axis=1) > 0, block.var(axis=1), 0)
    return coordinates, variance, triangle / scale
