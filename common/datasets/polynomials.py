"""Polynomial contours: images whose grey value is a polynomial of the two coordinates."""

import math
from dataclasses import dataclass

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.limits import require_memory
from common.errors import whole_number


@dataclass(eq=False)
class PolynomialData(ImageData):
    """Random polynomials of two variables as images; generated, so nothing is downloaded.

    Each image is Σ c_ij (x/size)^i (y/size)^j over i + j <= d, with its degree d uniform over
    0 … max_degree and c_ij ~ N(0, 1). Its own smallest and largest value scale it to [0, 1], which
    keeps it a polynomial; a constant image becomes 0.5. The labels are the degrees.

    Images are float32 (N, size, size, 1); 256 grey levels would not be exact. There are
    `num_images` for training and a tenth as many for testing; the first ones of a seed do not
    depend on that number.
    """

    num_images: int = 20_000
    max_degree: int = 5
    size: int = 40
    seed: int = 0

    name = "polynomials"
    dtype = np.float32
    usual_samples = 10_000

    def read(self) -> tuple[Split, ...]:
        for option, least in {"num_images": 1, "max_degree": 0, "size": 2, "seed": 0}.items():
            whole_number(option, getattr(self, option), least)
        pixels, powers = self.size**2, math.comb(self.max_degree + 2, 2)
        # The images with their ranges, the coefficients, and the monomials while they are made.
        needed = self.num_images * (5 * pixels + 13 * powers + 8) + powers * (24 * pixels + 200)
        require_memory("Drawing the polynomials", needed, "lower num_images, size or max_degree")
        self.image_shape = (self.size, self.size, 1)
        self.class_names = tuple(f"degree {d}" for d in range(self.max_degree + 1))
        streams = np.random.SeedSequence(self.seed).spawn(4)
        num_test = max(1, self.num_images // 10)
        return self._draw(self.num_images, streams[:2]), self._draw(num_test, streams[2:])

    @property
    def least_samples(self) -> int:
        return math.ceil(len(self.x_train) / 100)

    def report_samples(self, samples: np.ndarray) -> dict:
        from common.evaluation.polynomials import polynomial_report

        return polynomial_report(np.asarray(self.x_train), samples)

    def _draw(self, count: int, streams: list[np.random.SeedSequence]) -> Split:
        from common.evaluation.polynomials import monomials

        coefficients, degrees = draw_coefficients(count, self.max_degree, streams)
        # The constant term vanishes in the scaling; without it float32 keeps more digits.
        basis = monomials(self.size, self.max_degree)[:, 1:].astype(np.float32)
        images = coefficients[:, 1:].astype(np.float32) @ basis.T
        low = images.min(axis=1, keepdims=True)
        span = images.max(axis=1, keepdims=True) - low
        images -= low
        images /= np.where(span > 0, span, 1)
        images[span[:, 0] == 0] = 0.5
        return images.reshape(-1, *self.image_shape), degrees


def draw_coefficients(count: int, max_degree: int, streams: list) -> tuple[np.ndarray, np.ndarray]:
    """The c_ij, float64 (count, M) in the order of `exponents`, and the degrees, int64 (count,)."""
    from common.evaluation.polynomials import exponents

    powers = exponents(max_degree).sum(axis=1)
    coefficients_rng, degrees_rng = map(np.random.default_rng, streams)
    degrees = degrees_rng.integers(max_degree + 1, size=count)
    coefficients = coefficients_rng.standard_normal((count, len(powers)))
    coefficients[powers > degrees[:, None]] = 0
    return coefficients, degrees
