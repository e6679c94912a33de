"""Many images as one picture: the ground on which all grids are drawn."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from common.errors import InputError
from common.plots.style import Figure

CELL = 0.9  # inches per image
WIDEST = 10.0  # inches per grid: beyond it the images shrink
CAPTION = 0.22  # inches for a line of caption


def as_images(images: np.ndarray, name: str = "images") -> np.ndarray:
    """Return the images as float32 in [0, 1], shape (N, H, W, C).

    Args:
        images: (N, H, W, C) with C 1 or 3; uint8 in 0…255, or floats or booleans in [0, 1].
        name: what the error calls them.

    Raises:
        InputError: another shape, dtype or range, NaN, or no image at all.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"{name} have shape {images.shape}; a picture needs (N, H, W, C) with 1 or 3 channels "
            "and at least one image. A grey (N, H, W) array fits as array[..., None]."
        )
    if images.dtype == np.uint8:
        return images.astype(np.float32) / 255
    if images.dtype.kind in "iuOSUc":
        raise InputError(
            f"{name} are {images.dtype}; expected uint8 in 0…255 or floats in [0, 1]. "
            "Integers in 0…255 fit as array.astype('uint8')."
        )
    images = images.astype(np.float32)
    low, high = images.min(), images.max()
    # Written so that NaN fails too; the slack is what half precision rounds.
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise InputError(
            f"{name} range over {low:.4g}…{high:.4g}; floats must lie in [0, 1] without NaN. "
            "Divide 0…255 by 255; bring a tanh's -1…1 here by (x + 1) / 2."
        )
    return images.clip(0, 1)


def tile(images: np.ndarray, columns: int, gap: int, caption_gap: int = 0) -> np.ndarray:
    """Lay the images out row by row on white.

    Args:
        images: float32 (N, H, W, C) in [0, 1].
        columns: images per row; a last row may stay incomplete.
        gap: pixels between neighbours.
        caption_gap: pixels of further room under each row.

    Returns:
        float32 (height, width, C): image i has its upper left pixel at row
        (i // columns)·(H + gap + caption_gap), column (i % columns)·(W + gap).
    """
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    cells = np.ones(
        (rows * columns, height + gap + caption_gap, width + gap, channels), dtype=np.float32
    )
    cells[:count, :height, :width] = images
    cells = cells.reshape(rows, columns, *cells.shape[1:]).swapaxes(1, 2)
    canvas = cells.reshape(rows * cells.shape[1], columns * (width + gap), channels)
    return canvas[: canvas.shape[0] - gap, : canvas.shape[1] - gap]


def add_grid(
    figure: Figure,
    images: np.ndarray,
    columns: int,
    left: float = 0.0,
    captions: Sequence[str] | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Axes:
    """Draw a grid of images on a new axes that is exactly as large as the grid.

    Labels stand at the middle of their row or column; an empty label leaves no mark.

    Args:
        figure: where to draw; call `trim` on it when all is drawn.
        images: float32 (N, H, W, C) in [0, 1].
        columns: images per row.
        left: inches from the figure's left edge to the grid's.
        captions: one short text, of one or more lines, under each image.
        row_labels: one text left of each row.
        column_labels: one text under each column.
    """
    _, height, width, _ = images.shape
    gap = max(1, round(width / 28))
    cell = CELL if captions is not None else min(CELL, WIDEST / columns)
    pixel = cell / (width + gap)
    lines = max((caption.count("\n") + 1 for caption in captions or ()), default=0)
    caption_gap = round(lines * CAPTION / pixel)
    canvas = tile(images, columns, gap, caption_gap)

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
    for index, caption in enumerate(captions if captions is not None else ()):
        axes.text(
            middle_x[index % columns],
            middle_y[index // columns] + height / 2 + 0.1 * CAPTION / pixel,
            caption,
            ha="center",
            va="top",
            fontsize=8,
        )
    return axes


def trim(figure: Figure, margin: float = 0.06) -> Figure:
    """Cut the figure to what is drawn on it, keeping every axes' size in inches."""
    box = figure.get_tightbbox().padded(margin)
    old_size = figure.get_size_inches()
    new_size = np.array([box.width, box.height])
    for axes in figure.axes:
        place = axes.get_position()
        corner = (np.array([place.x0, place.y0]) * old_size - [box.x0, box.y0]) / new_size
        axes.set_position((*corner, *(np.array([place.width, place.height]) * old_size / new_size)))
    figure.set_size_inches(new_size)
    return figure
