"""Many images as one picture, which all grids draw on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from common.errors import InputError, real_array, rows_of, whole_number
from common.images import unit_range
from common.plots.style import Figure
from common.plots.text import NAME, as_text

CELL = 0.9  # inches per image
WIDEST = 10.0  # inches per grid; images of wider grids shrink
CAPTION = 0.22  # inches for a line of caption


def as_images(images: Any, name: str = "images", most: int | None = None) -> np.ndarray:
    """The images as float32 (N, H, W, C) in [0, 1].

    Args:
        images: (N, H, W, C) with C 1 or 3; uint8 in 0…255, or floats in [0, 1].
        name: what error messages call them.
        most: take only this many of the first images; None for all.
    """
    if most is not None:
        # Lazy images read no more than these.
        images = rows_of(name, images)[: whole_number("n", most)]
    images = real_array(name, images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"{name} have shape {images.shape}; a picture needs (N, H, W, C) with 1 or 3 channels "
            "and at least one image. A grey (N, H, W) array fits as array[..., None]."
        )
    images = unit_range(images)
    low, high = images.min(), images.max()
    # NaN fails every comparison; the slack is for rounding in half precision.
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise InputError(
            f"{name} range over {low:.4g}…{high:.4g}; floats must lie in [0, 1] without NaN. "
            "Divide 0…255 by 255; bring a tanh's -1…1 here by (x + 1) / 2."
        )
    return images.clip(0, 1)


def tile(images: np.ndarray, columns: int, right: int, below: int) -> np.ndarray:
    """Images (N, H, W, C) in [0, 1] row by row on white, with pixels right of and below each."""
    missing = -len(images) % columns
    cells = np.pad(images, ((0, missing), (0, below), (0, right), (0, 0)), constant_values=1)
    count, height, width, channels = cells.shape
    cells = cells.reshape(-1, columns, height, width, channels).swapaxes(1, 2)
    return cells.reshape(count // columns * height, columns * width, channels)


def add_grid(
    figure: Figure,
    images: np.ndarray,
    columns: int,
    left: float = 0.0,
    captions: Sequence[str] | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Axes:
    """Draw a grid of images on a new axes of exactly the grid's size.

    Args:
        figure: where to draw; call `trim` on it after the last grid.
        images: float32 (N, H, W, C) in [0, 1].
        columns: images per row.
        left: inches from the figure's left edge to the grid's.
        captions: a short text for each image, drawn under it.
        row_labels, column_labels: a text for each row, left of it, and for each column, under it.
    """
    _, height, width, _ = images.shape
    gap = max(1, round(width / 28))
    cell = CELL if captions is not None else min(CELL, WIDEST / columns)
    pixel = cell / (width + gap)
    shown, look = as_text([] if captions is None else captions, NAME)
    lines = max((caption.count("\n") + 1 for caption in shown), default=0)
    caption_gap = round(lines * CAPTION / pixel)
    canvas = tile(images, columns, gap, gap + caption_gap)[:-gap, :-gap]

    size = np.array([canvas.shape[1], canvas.shape[0]]) * pixel / figure.get_size_inches()
    axes = figure.add_axes((left / figure.get_size_inches()[0], 0, *size))
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, "gray", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelsize=9)

    rows = -(-len(images) // columns)
    middle_x = np.arange(columns) * (width + gap) + (width - 1) / 2
    middle_y = np.arange(rows) * (height + gap + caption_gap) + (height - 1) / 2
    axes.set_xticks(middle_x if column_labels is not None else [], column_labels)
    axes.set_yticks(middle_y if row_labels is not None else [], row_labels)
    for index, caption in enumerate(shown):
        x, y = middle_x[index % columns], middle_y[index // columns]
        top = y + height / 2 + 0.1 * CAPTION / pixel
        axes.text(x, top, caption, ha="center", va="top", fontsize=8, **look)
    return axes


def trim(figure: Figure, margin: float = 0.06) -> Figure:
    """Crop the figure to what is drawn on it; every axes keeps its size in inches."""
    box = figure.get_tightbbox().padded(margin)
    old_size = figure.get_size_inches()
    new_size = np.array([box.width, box.height])
    for axes in figure.axes:
        place = axes.get_position()
        corner = (np.array([place.x0, place.y0]) * old_size - [box.x0, box.y0]) / new_size
        axes.set_position((*corner, *(np.array([place.width, place.height]) * old_size / new_size)))
    figure.set_size_inches(*new_size)
    return figure
