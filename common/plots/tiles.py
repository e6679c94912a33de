"""Many images as one picture, which all grids draw on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from common.errors import InputError, real_array, rows_of, whole_number
from common.images import unit_range
from common.plots.style import PALETTE, Figure, as_axes
from common.plots.text import NAME, as_text

CELL = 0.9  # inches per image
WIDEST = 10.0  # inches per grid; images of wider grids shrink
CAPTION = 0.17  # inches for a line of caption
FRAME = PALETTE[1]


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


def draw_grid(
    images: np.ndarray,
    columns: int,
    title: str | None = None,
    ax: Axes | None = None,
    labels: tuple[str, str] = ("", ""),
    **look: Any,
) -> Any:
    """Draw one grid of images: on a figure of its own, cropped to it, or on a user's axes.

    Args:
        images: float32 (N, H, W, C) in [0, 1].
        columns: images per row.
        title: lines above the grid.
        ax: a user's axes; None for a figure of its own.
        labels: of the x axis and the y axis.
        **look: captions, labels and frames, as `add_grid` takes them.

    Returns:
        The figure.
    """
    figure: Any = Figure() if ax is None else as_axes(ax).figure
    axes = add_grid(figure, images, columns, ax=ax, **look)
    (xlabel, ylabel, shown), plain = as_text([*labels, "" if title is None else title])
    axes.set_xlabel(xlabel, **plain)
    axes.set_ylabel(ylabel, **plain)
    axes.set_title(shown, **plain)
    return trim(figure) if ax is None else figure


def add_grid(
    figure: Any,
    images: np.ndarray,
    columns: int,
    left: float = 0.0,
    ax: Axes | None = None,
    captions: Sequence[str] | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
    framed: np.ndarray | None = None,
) -> Axes:
    """Draw a grid of images on a new axes of exactly the grid's size, or on a user's.

    Args:
        figure: where to draw; call `trim` on it after the last grid.
        images: float32 (N, H, W, C) in [0, 1].
        columns: images per row.
        left: inches from the figure's left edge to the grid's.
        ax: a user's axes, whose width the grid fills; None for a new one.
        captions: a short text for each image, drawn under it.
        row_labels, column_labels: a text for each row, left of it, and for each column, under it.
        framed: bool (N,), which images get a coloured frame.
    """
    _, height, width, _ = images.shape
    gap = max(1, round(width / 28))
    inches = figure.get_size_inches()
    cell = CELL if captions is not None else min(CELL, WIDEST / columns)
    if ax is not None:
        cell = ax.get_position().width * inches[0] / columns
    pixel = cell / (width + gap)
    shown, look = as_text([] if captions is None else captions, NAME)
    lines = max((caption.count("\n") + 1 for caption in shown), default=0)
    caption_gap = round(lines * CAPTION / pixel)
    canvas = tile(images, columns, gap, gap + caption_gap)
    # The last captions hang below the canvas, with no empty line under them.
    canvas = canvas[: len(canvas) - gap - caption_gap, :-gap]

    if ax is None:
        size = np.array([canvas.shape[1], canvas.shape[0]]) * pixel / inches
        ax = figure.add_axes((left / inches[0], 0, *size))
    axes: Any = ax
    axes.imshow(canvas.squeeze(-1) if canvas.shape[-1] == 1 else canvas, "gray", vmin=0, vmax=1)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)

    rows = -(-len(images) // columns)
    middle_x = np.arange(columns) * (width + gap) + (width - 1) / 2
    middle_y = np.arange(rows) * (height + gap + caption_gap) + (height - 1) / 2
    for ticks, middles, named in (
        (axes.set_xticks, middle_x, column_labels),
        (axes.set_yticks, middle_y, row_labels),
    ):
        names, plain = as_text(named or [])
        ticks(middles if named else [], names, **(plain if named else {}))
    for index in range(len(images)):
        x, y = middle_x[index % columns], middle_y[index // columns]
        if shown:
            top = y + height / 2 + 0.1 * CAPTION / pixel
            axes.text(x, top, shown[index], ha="center", va="top", fontsize=8, **look)
        if framed is not None and framed[index]:
            corner, sides = (x - width / 2, y - height / 2), (width, height)
            frame = Rectangle(corner, *sides, fill=False, edgecolor=FRAME, linewidth=2.5)
            axes.add_patch(frame).set_clip_on(False)
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
