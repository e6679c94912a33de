"""Monomials, how polynomial a grey image is, and how two sets of such images compare."""

import numpy as np

from common.errors import InputError, real_array, require_finite, whole_number
from common.evaluation.coverage import coverage_ceiling, density_and_coverage, smallest_neighbour

# Images converted to float64 at a time, which bounds the memory.
_BLOCK = 2048


def exponents(max_degree: int) -> np.ndarray:
    """The exponents (i, j) of x^i y^j with i + j <= max_degree, int64 (M, 2), by rising degree."""
    whole_number("max_degree", max_degree, least=0)
    pairs = [(d - j, j) for d in range(max_degree + 1) for j in range(d + 1)]
    return np.array(pairs, dtype=np.int64)


def monomials(size: int, max_degree: int) -> np.ndarray:
    """The monomials of `exponents` on the pixel grid, float64 (size · size, M).

    Column k holds (x / size)^i (y / size)^j, for x columns and y rows counted from 0. An image is
    `monomials @ coefficients`, reshaped to (size, size).
    """
    whole_number("size", size)
    y, x = np.mgrid[:size, :size].reshape(2, -1, 1) / size
    i, j = exponents(max_degree).T
    return x**i * y**j


def outside_span(images: np.ndarray, max_degree: int = 5) -> np.ndarray:
    """Share of each image's variance that no polynomial of `max_degree` explains.

    It is 1 − R² of the least-squares fit: 0 for a polynomial (3e-5 after rounding to 8 bits), on
    average 1 − (M − 1) / (P − 1) for white noise of P pixels with M monomials. Brightness and
    contrast do not change it. A constant image has share 0, but covers nothing.

    Args:
        images: (N, S, S, 1), any real dtype and scale.
        max_degree: the monomials are x^i y^j with i + j <= max_degree.

    Returns:
        float64 (N,) in [0, 1].
    """
    coordinates, variance = _project(images, max_degree)
    explained = np.square(coordinates[:, 1:]).sum(axis=1)
    share = 1 - np.divide(explained, variance, out=np.ones_like(variance), where=variance > 0)
    return share.clip(0, 1)


def shape_coordinates(images: np.ndarray, max_degree: int = 5) -> np.ndarray:
    """The polynomial part of each image, independent of brightness and contrast.

    The image is normalised to zero mean and unit variance, and its fit is written in an orthonormal
    basis of the span: distances are root mean square differences of the polynomial parts. A
    polynomial lies on the unit sphere, another image at √(1 − outside_span), a constant one at 0.

    Args:
        images: (N, S, S, 1), any real dtype and scale.
        max_degree: as in `outside_span`.

    Returns:
        float64 (N, M − 1).
    """
    coordinates, variance = _project(images, max_degree)
    deviation = np.sqrt(variance)[:, None]
    shapes = coordinates[:, 1:]
    return np.divide(shapes, deviation, out=np.zeros_like(shapes), where=deviation > 0)


def polynomial_report(
    real: np.ndarray, generated: np.ndarray, max_degree: int = 5
) -> dict[str, float | int]:
    """How polynomial generated images are, and how well they fill the region of the real ones.

    Density and coverage (`density_and_coverage`) are those of the `shape_coordinates`. Constant
    real images are left out, as no ball can be drawn around the point that they share.

    Args:
        real: (N, S, S, 1), the reference, any real dtype and scale.
        generated: (M, S, S, 1).
        max_degree: the real images' highest degree.

    Returns:
        `outside_span_median` and `outside_span_p90` of the generated images, `density`, `coverage`,
        a perfect sampler's `coverage_ceiling`, `k`, and the images used: `samples`, `reference`.
    """
    real, generated = real_array("The real", real), real_array("The generated", generated)
    if real.shape[1:] != generated.shape[1:]:
        raise InputError(
            f"The real images are {real.shape} and the generated ones {generated.shape}; "
            "expected the same size: build the generator with the data's image_shape."
        )
    shapes = shape_coordinates(real, max_degree)
    reference = shapes[shapes.any(axis=1)]
    with_shape = round(len(generated) * len(reference) / len(shapes))
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


def _project(images: np.ndarray, max_degree: int) -> tuple[np.ndarray, np.ndarray]:
    """The fits' coordinates (N, M) in an orthonormal basis, and the images' variances (N,).

    The first coordinate holds an image's mean; the squares of the others sum to its fit's variance.
    """
    whole_number("max_degree", max_degree, least=0)
    images = real_array("The images", images)
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 1:
        raise InputError(
            f"Images have shape {images.shape}; expected square grey ones, (N, S, S, 1)."
        )
    if not len(images) or not 0 <= max_degree < images.shape[1]:
        raise InputError(
            f"{len(images)} images of size {images.shape[1]} with max_degree={max_degree}; "
            "expected at least one image, and a degree from 0 to the size less 1."
        )
    require_finite("The images", images)
    pixels = images.reshape(len(images), -1)
    basis, _ = np.linalg.qr(monomials(images.shape[1], max_degree))
    scale = np.sqrt(pixels.shape[1])
    coordinates = np.empty((len(pixels), basis.shape[1]))
    variance = np.empty(len(pixels))
    for start in range(0, len(pixels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        block = pixels[rows].astype(np.float64)
        coordinates[rows] = block @ basis / scale
        # Computed, the variance of equal numbers is a rounding error, not 0.
        variance[rows] = np.where(np.ptp(block, axis=1) > 0, block.var(axis=1), 0)
    return coordinates, variance
