"""Polynomial contours: images whose grey value is a polynomial of the two coordinates."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.files import local_file, read_npy
from common.errors import InputError, whole_number

# Of a file's values, whose differences float32 must hold.
LARGEST = np.float64(1e37)


def exponents(max_degree: int) -> np.ndarray:
    """The exponents (i, j) of x^i y^j with i + j <= max_degree, as an int64 array (M, 2).

    In graded order: 1, x, y, x², xy, y², x³, … The monomials up to degree d are therefore the
    first (d + 1)(d + 2) / 2 of them.
    """
    pairs = [(d - j, j) for d in range(max_degree + 1) for j in range(d + 1)]
    return np.array(pairs, dtype=np.int64)


def monomials(size: int, max_degree: int) -> np.ndarray:
    """The monomials of `exponents` on the pixel grid, as a float64 array (size * size, M).

    Column k holds (x / size)^i (y / size)^j; x counts the columns of the image and y its rows, both
    from 0, and the pixels are flattened row by row: an image is `monomials @ coefficients`
    reshaped to (size, size).
    """
    y, x = np.mgrid[:size, :size].reshape(2, -1, 1) / size
    i, j = exponents(max_degree).T
    return x**i * y**j


@dataclass(eq=False)
class PolynomialData(ImageData):
    """Random polynomials of two variables as images; generated, so nothing is downloaded.

    Each image is Σ c_ij (x/size)^i (y/size)^j over i + j <= d, with its degree d uniform over
    0 … max_degree and c_ij ~ N(0, 1), scaled to [0, 1] by its own smallest and largest value, which
    keeps it a polynomial. A constant image becomes 0.5. The labels are the degrees.

    Images are float32 (N, size, size, 1), unlike other datasets' uint8: rounding to 256 grey levels
    would leave the span of the monomials, and then no image would be an exact polynomial.
    `num_images` are for training and a tenth as many more for testing; the first images of a seed
    are the same whatever `num_images` is.

    With `data_dir` (a folder with `polydata.npy`, or such a file) the images are those of the file,
    all of them, without labels and coefficients; then only `size` counts, which they must have.

    Attributes beyond those of `ImageData`:
        coefficients: float64 (N, M), the c_ij of `x_train` before scaling, in the order of
            `exponents(max_degree)`, zero above the image's degree; None for images from a file.
        degrees: int64 (N,), the degrees of `x_train` (its labels); None for images from a file.
    """

    num_images: int = 20_000
    max_degree: int = 5
    size: int = 40
    seed: int = 0
    data_dir: str | Path | None = None

    name: ClassVar[str] = "polynomials"
    dtype: ClassVar[type] = np.float32

    def __post_init__(self):
        for option, least in {"num_images": 1, "max_degree": 0, "size": 2, "seed": 0}.items():
            whole_number(option, getattr(self, option), least)
        self.image_shape = (self.size, self.size, 1)
        super().__post_init__()
        self.degrees = self.y_train
        self.coefficients = None
        if self.degrees is not None:
            coefficients, degrees = self._draw(self.num_images, "training")
            rows = self.training_rows(degrees, self.num_images)
            self.coefficients = coefficients[rows[: len(self.x_train)]]

    def read(self) -> tuple[Split, Split]:
        """The generated splits, or those of the file."""
        if self.data_dir is not None:
            images = self._read_file(local_file(self.data_dir, "polydata.npy"))
            # Of N + N // 10 images this is N // 10 for every N: a saved file has the same split.
            num_test = _tenth(len(images), 11)
            return (images[:-num_test], None), (images[-num_test:], None)
        self.class_names = tuple(f"degree {d}" for d in range(self.max_degree + 1))
        return (
            self._generate(self.num_images, "training"),
            self._generate(_tenth(self.num_images, 10), "test"),
        )

    def save(self, path: str | Path) -> None:
        """Write the images, training then test, as one float32 array (N, size, size, 1)."""
        with Path(path).open("wb") as file:
            np.save(file, np.concatenate([self.x_train, self.x_test]))

    @classmethod
    def load(cls, path: str | Path, size: int = 40) -> Self:
        """The images of a `polydata.npy`, in which any scaling is accepted; see `data_dir`."""
        return cls(data_dir=path, size=size)

    def _draw(self, count: int, part: str) -> tuple[np.ndarray, np.ndarray]:
        streams = np.random.SeedSequence(self.seed).spawn(4)
        streams = streams[:2] if part == "training" else streams[2:]
        coefficients_rng, degrees_rng = map(np.random.default_rng, streams)
        powers = exponents(self.max_degree).sum(axis=1)
        degrees = degrees_rng.integers(self.max_degree + 1, size=count)
        coefficients = coefficients_rng.standard_normal((count, len(powers)))
        coefficients[powers > degrees[:, None]] = 0
        return coefficients, degrees

    def _generate(self, count: int, part: str) -> Split:
        coefficients, degrees = self._draw(count, part)
        # The constant term vanishes in the scaling; leaving it out first spares float32 the digits.
        basis = monomials(self.size, self.max_degree)[:, 1:].astype(np.float32)
        return self._scaled(coefficients[:, 1:].astype(np.float32) @ basis.T), degrees

    def _scaled(self, images: np.ndarray) -> np.ndarray:
        low = images.min(axis=1, keepdims=True)
        span = images.max(axis=1, keepdims=True) - low
        images -= low
        images /= np.where(span > 0, span, 1)
        images[span[:, 0] == 0] = 0.5
        return images.reshape(-1, *self.image_shape)

    def _read_file(self, path: Path) -> np.ndarray:
        self.origin = str(path)
        images = read_npy(path)
        size = self.size
        if images.dtype.kind not in "fiu" or images.shape[1:] not in {
            (size, size),
            (size, size, 1),
            (size * size,),
        }:
            raise InputError(
                f"{path} holds {images.dtype} {images.shape}; expected numbers of shape "
                f"(N, {size}, {size}), (N, {size}, {size}, 1) or (N, {size * size}); "
                "give the size of its images as size= (--size)."
            )
        if len(images) < 2 or not (np.abs(images) < LARGEST).all():
            raise InputError(
                f"{path} must hold at least two images, all of finite values within "
                f"±{LARGEST:g}; make it again with PolynomialData().save(path)."
            )
        return self._scaled(images.reshape(len(images), -1).astype(np.float32))


def _tenth(count: int, parts: int) -> int:
    return max(1, count // parts)
