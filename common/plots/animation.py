"""Training as a film: one picture per epoch, written as a GIF."""

import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.figure
import numpy as np
from PIL import Image

from common.errors import InputError
from common.plots.grids import image_grid

LAST = 2000  # milliseconds that the last frame stays


def animation(
    frames: Mapping[int, np.ndarray | matplotlib.figure.Figure]
    | Sequence[np.ndarray | matplotlib.figure.Figure],
    path: str | os.PathLike,
    titles: Sequence[str] | None = None,
    fps: float = 5,
) -> Path:
    """Write a GIF that shows the frames in order, holds the last one for two seconds and repeats.

    The file is written whole or not at all.

    Args:
        frames: one per epoch, each either images (n, H, W, C), drawn as a grid, or a figure of any
            of the other plots; or a dict epoch -> frame, which is shown by rising epoch.
        path: where to write, ending in `.gif`; its folder is made where there is none.
        titles: what stands above each grid, in the order shown; "epoch 1", "epoch 2", … when None.
            Figures bring their own.
        fps: frames per second.

    Returns:
        The path.

    Raises:
        InputError: no frame, images of another shape or range, a number of titles that does not
            fit, epochs that are not numbers, another ending, or a folder that cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise InputError(f"{path} does not end in .gif, the one format that is written here.")
    if fps <= 0:
        raise InputError(f"fps is {fps}; give the frames per second, above 0.")
    if isinstance(frames, Mapping):
        epochs = _rising(frames)
        frames = [frames[epoch] for epoch in epochs]
    else:
        epochs = range(1, len(frames) + 1)
    if not len(frames):
        raise InputError("There is no frame to animate; give one for each epoch.")
    if titles is None:
        titles = [f"epoch {epoch}" for epoch in epochs]
    if len(titles) != len(frames):
        raise InputError(f"{len(titles)} titles for {len(frames)} frames; give one for each frame.")

    pictures = _of_one_size(
        [_picture(frame, title) for frame, title in zip(frames, titles, strict=True)]
    )
    _write(pictures, path, fps)
    return path


def _rising(frames: Mapping) -> list:
    try:
        # By number: as text "100" would come before "50".
        return sorted(frames, key=int)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The frames' keys are {list(frames)[:3]}…; expected the epochs as numbers."
        ) from error


def _picture(frame: np.ndarray | matplotlib.figure.Figure, title: str) -> Image.Image:
    if not isinstance(frame, matplotlib.figure.Figure):
        frame = image_grid(frame, title=title)
    png = io.BytesIO()
    frame.savefig(png, format="png", pil_kwargs={"compress_level": 1})
    return Image.open(png).convert("RGB")


def _of_one_size(pictures: list[Image.Image]) -> list[Image.Image]:
    """Put every picture on the middle of a white sheet that holds the largest."""
    width = max(picture.width for picture in pictures)
    height = max(picture.height for picture in pictures)
    sheets = []
    for picture in pictures:
        sheet = Image.new("RGB", (width, height), "white")
        sheet.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
        sheets.append(sheet)
    return sheets


def _write(pictures: list[Image.Image], path: Path, fps: float) -> None:
    durations = [round(1000 / fps)] * (len(pictures) - 1) + [LAST]
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            pictures[0].save(
                unfinished,
                format="GIF",
                save_all=True,
                append_images=pictures[1:],
                duration=durations,
                loop=0,
            )
            os.replace(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}). "
            "Name a folder that you may write to."
        ) from error
