"""Images side by side: samples, reconstructions, originals beside generated ones."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from common.errors import InputError, as_texts, numbers, whole_number
from common.plots.style import Figure, styled
from common.plots.text import as_text
from common.plots.tiles import add_grid, as_images, draw_grid, trim

BETWEEN = 0.3  # inches between two grids


def near_square(count: int) -> int:
    """The columns of a grid about as high as wide, with a full last row if possible."""
    side = math.ceil(math.sqrt(count))
    return next((c for c in range(side, 2 * side) if count % c == 0), side)


@styled
def image_grid(
    images: np.ndarray,
    columns: int | None = None,
    title: str | None = None,
    captions: Sequence[str] | None = None,
    framed: np.ndarray | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw images row by row.

    Args:
        images: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        columns: images per row, at least 1; None for about as many as rows.
        title: lines above the grid.
        captions: N short texts, one under each image (a line holds a dozen characters).
        framed: bool (N,), the images that get an orange frame; None for none.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    images = as_images(images)
    if columns is None:
        columns = near_square(len(images))
    columns = min(whole_number("columns", columns), len(images))
    if captions is not None:
        captions = as_texts("captions", captions, len(images))
    if framed is not None:
        framed = numbers("The framed images", framed, (len(images),), 0, 1) > 0
    return draw_grid(images, columns, title, ax, captions=captions, framed=framed)


def reconstructions(
    originals: np.ndarray,
    reconstructed: np.ndarray,
    n: int = 10,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw the first `n` originals over their reconstructions.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        reconstructed: of the same shape and order.
        n: the most pairs to draw.
        title, ax: as in `image_grid`.

    Returns:
        The figure.
    """
    names = ("original", "reconstructed")
    return _pairs(names, originals, reconstructed, n, title, ax)


def nearest_neighbours(
    samples: np.ndarray,
    nearest: np.ndarray,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw generated images over the training image nearest to each, so that copies show.

    Args:
        samples: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1]; about ten.
        nearest: training images of the same shape and order.
        title, ax: as in `image_grid`.

    Returns:
        The figure.
    """
    names = ("generated", "nearest\ntraining image")
    return _pairs(names, samples, nearest, None, title, ax)


def originals_and_samples(
    originals: np.ndarray, samples: np.ndarray, n: int = 25, title: str | None = None
) -> Figure:
    """Draw real images beside generated ones, the first `n` of each.

    Args:
        originals: (N, H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        samples: (M, H, W, C), in the same form.
        n: the most images to draw on each side.
        title: lines above both.
    """
    sides = {"originals": originals, "generated": samples}
    return side_by_side({name: as_images(side, name, n) for name, side in sides.items()}, title)


@styled
def side_by_side(grids: Mapping[str, np.ndarray], title: str | None = None) -> Figure:
    """Name → images, float32 (N, H, W, C) in [0, 1]: a square of images under each name."""
    figure = Figure()
    left = 0.0
    for name, images in grids.items():
        axes = add_grid(figure, images, near_square(len(images)), left)
        axes.set_title(name)
        left += axes.get_position().width * figure.get_figwidth() + BETWEEN
    if title is not None:
        (shown,), look = as_text([title])
        first = figure.axes[0]
        middle = (left - BETWEEN) / 2 / (first.get_position().width * figure.get_figwidth())
        look |= {"xytext": (0, 22), "textcoords": "offset points", "fontsize": 10, "ha": "center"}
        first.annotate(shown, (middle, 1), xycoords="axes fraction", **look)
    return trim(figure)


@styled
def _pairs(
    names: tuple[str, str],
    upper: Any,
    lower: Any,
    most: int | None,
    title: str | None,
    ax: Axes | None,
) -> Any:
    upper, lower = as_images(upper, most=most), as_images(lower, most=most)
    if upper.shape != lower.shape:
        raise InputError(
            f"The pairs do not match: shapes {upper.shape} and {lower.shape}. "
            "Give both rows in the same order and shape."
        )
    both = np.concatenate([upper, lower])
    return draw_grid(both, len(upper), title, ax, row_labels=names)
