"""Images side by side: samples, reconstructions, originals beside what a model makes of them."""

import math
from collections.abc import Sequence

import numpy as np

from common.errors import InputError
from common.plots.style import Figure
from common.plots.tiles import add_grid, as_images, trim


def near_square(count: int) -> int:
    """Return the columns of a grid about as high as wide, with a full last row if possible."""
    side = math.ceil(math.sqrt(count))
    return next((c for c in range(side, 2 * side) if count % c == 0), side)


def image_grid(
    images: np.ndarray,
    columns: int | None = None,
    title: str | None = None,
    captions: Sequence[str] | None = None,
) -> Figure:
    """Draw images row by row.

    Args:
        images: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        columns: images per row; chosen near a square when None.
        title: a line above the grid.
        captions: N short texts, one under each image (a dozen characters fit on a line).

    Raises:
        InputError: images of another shape or range, captions of another number, no column.
    """
    images = as_images(images)
    if columns is None:
        columns = near_square(len(images))
    if columns < 1:
        raise InputError(f"columns is {columns}; give 1 or more, or None to have it chosen.")
    if captions is not None and len(captions) != len(images):
        raise InputError(
            f"{len(captions)} captions for {len(images)} images; give one for each image."
        )
    figure = Figure()
    axes = add_grid(figure, images, min(columns, len(images)), captions=captions)
    if title:
        axes.set_title(title, fontsize=11)
    return trim(figure)


def reconstructions(originals: np.ndarray, reconstructed: np.ndarray, n: int = 10) -> Figure:
    """Draw the first `n` originals over their reconstructions.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        reconstructed: of the same shape and order.
        n: how many pairs; all of them where there are fewer.

    Raises:
        InputError: images of another shape or range, or of two different shapes.
    """
    return _pairs("original", originals[:n], "reconstructed", reconstructed[:n])


def nearest_neighbours(samples: np.ndarray, neighbours: np.ndarray) -> Figure:
    """Draw generated images over the training image nearest to each, so that copying shows.

    Args:
        samples: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1]; about ten.
        neighbours: of the same shape and order.

    Raises:
        InputError: images of another shape or range, or of two different shapes.
    """
    return _pairs("generated", samples, "nearest\ntraining image", neighbours)


def originals_and_samples(originals: np.ndarray, samples: np.ndarray, n: int = 25) -> Figure:
    """Draw real images beside generated ones, the first `n` of each.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        samples: (M, H, W, C), likewise.
        n: how many of each; all of them where there are fewer.

    Raises:
        InputError: images of another shape or range.
    """
    figure = Figure()
    left = 0.0
    for title, images in (("originals", originals), ("generated", samples)):
        images = as_images(images[:n], title)
        axes = add_grid(figure, images, near_square(len(images)), left)
        axes.set_title(title, fontsize=11)
        left += axes.get_position().width * figure.get_figwidth() + 0.3
    return trim(figure)


def _pairs(upper_name: str, upper: np.ndarray, lower_name: str, lower: np.ndarray) -> Figure:
    upper, lower = (
        as_images(upper, f"{upper_name} images"),
        as_images(lower, f"{lower_name} images"),
    )
    if upper.shape != lower.shape:
        raise InputError(
            f"The pairs do not match: shapes {upper.shape} and {lower.shape}. "
            "Give both rows in the same order and shape."
        )
    figure = Figure()
    add_grid(
        figure, np.concatenate([upper, lower]), len(upper), row_labels=[upper_name, lower_name]
    )
    return trim(figure)
