"""Images side by side: samples, reconstructions, originals beside generated ones."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.errors import InputError, as_texts, whole_number
from common.plots.style import Figure
from common.plots.text import as_text
from common.plots.tiles import add_grid, as_images, trim


def near_square(count: int) -> int:
    """The columns of a grid about as high as wide, with a full last row if possible."""
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
        columns: images per row, at least 1; None for about as many as rows.
        title: a line above the grid.
        captions: N short texts, one under each image (a line holds a dozen characters).
    """
    images = as_images(images)
    if columns is None:
        columns = near_square(len(images))
    columns = min(whole_number("columns", columns), len(images))
    if captions is not None:
        captions = as_texts("captions", captions, len(images))
    figure = Figure()
    axes = add_grid(figure, images, columns, captions=captions)
    if title is not None:
        (shown,), look = as_text([title])
        axes.set_title(shown, fontsize=11, **look)
    return trim(figure)


def reconstructions(originals: np.ndarray, reconstructed: np.ndarray, n: int = 10) -> Figure:
    """Draw the first `n` originals over their reconstructions.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        reconstructed: of the same shape and order.
        n: the most pairs to draw.
    """
    return _pairs("original", originals, "reconstructed", reconstructed, n)


def nearest_neighbours(samples: np.ndarray, nearest: np.ndarray) -> Figure:
    """Draw generated images over the training image nearest to each, so that copies show.

    Args:
        samples: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1]; about ten.
        nearest: training images of the same shape and order.
    """
    return _pairs("generated", samples, "nearest\ntraining image", nearest)


def originals_and_samples(originals: np.ndarray, samples: np.ndarray, n: int = 25) -> Figure:
    """Draw real images beside generated ones, the first `n` of each.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        samples: (M, H, W, C), in the same form.
        n: the most images to draw on each side.
    """
    figure = Figure()
    left = 0.0
    for title, images in (("originals", originals), ("generated", samples)):
        images = as_images(images, title, n)
        axes = add_grid(figure, images, near_square(len(images)), left)
        axes.set_title(title, fontsize=11)
        left += axes.get_position().width * figure.get_figwidth() + 0.3
    return trim(figure)


def _pairs(
    upper_name: str, upper: Any, lower_name: str, lower: Any, most: int | None = None
) -> Figure:
    upper, lower = as_images(upper, most=most), as_images(lower, most=most)
    if upper.shape != lower.shape:
        raise InputError(
            f"The pairs do not match: shapes {upper.shape} and {lower.shape}. "
            "Give both rows in the same order and shape."
        )
    figure, names = Figure(), [upper_name, lower_name]
    add_grid(figure, np.concatenate([upper, lower]), len(upper), row_labels=names)
    return trim(figure)
