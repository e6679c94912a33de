"""Training as a film: one picture per epoch, written as a GIF."""

import io
import os
from collections.abc import Mapping, Sequence
from numbers import Real
from pathlib import Path

import numpy as np
from PIL import Image

from common.errors import InputError
from common.plots.grids import image_grid, side_by_side
from common.plots.style import Figure, epochs_of
from common.plots.text import headed
from common.plots.tiles import as_images

LAST = 2000  # milliseconds that the last frame stays


def animation(
    frames: Mapping[int, np.ndarray],
    path: str | os.PathLike,
    fps: float = 5,
    originals: np.ndarray | None = None,
    title: str | None = None,
) -> Path:
    """Write a GIF that shows the frames by epoch, holds the last for two seconds and repeats.

    Args:
        frames: epoch -> images (n, H, W, C), drawn as a grid under "epoch 1" and so on.
        path: where to write, ending in `.gif`; its folder is made if needed.
        fps: frames per second.
        originals: images (m, H, W, C) that stay on the left, for frames of their reconstructions.
        title: a line above all.

    Returns:
        The path.

    Raises:
        InputError: no frame, a path without `.gif`, or fps outside 0.01 to 100.
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"path is a {type(path).__name__}; expected one that ends in .gif.")
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise InputError(f"{path} does not end in .gif, the only format written here.")
    if not isinstance(fps, Real) or not 0.01 <= fps <= 100:
        raise InputError(f"Got fps={fps}; expected a number of frames per second, 0.01 to 100.")
    epochs = epochs_of("frame", frames)
    grids = (_frame(epoch, frames[epoch], originals, title) for epoch in epochs)
    pictures = [Image.open(io.BytesIO(grid._repr_png_())) for grid in grids]
    first, *others = _of_one_size(pictures)
    durations = [round(1000 / fps)] * len(others) + [LAST]
    path.parent.mkdir(parents=True, exist_ok=True)
    first.save(path, save_all=True, append_images=others, duration=durations, loop=0)
    return path


def _frame(
    epoch: int, images: np.ndarray, originals: np.ndarray | None, title: str | None
) -> Figure:
    if originals is None:
        return image_grid(images, title=headed(title, f"epoch {epoch}"))
    sides = {"originals": originals, f"epoch {epoch}": images}
    return side_by_side({name: as_images(side, name) for name, side in sides.items()}, title)


def _of_one_size(pictures: Sequence[Image.Image]) -> list[Image.Image]:
    """Every picture in the middle of a white sheet that holds the largest."""
    width = max(picture.width for picture in pictures)
    height = max(picture.height for picture in pictures)
    sheets = [Image.new("RGB", (width, height), "white") for _ in pictures]
    for sheet, picture in zip(sheets, pictures, strict=True):
        sheet.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return sheets
