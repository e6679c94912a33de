"""What all pictures share: the figure, the palette, the dress of an axes."""

import io
import os
from pathlib import Path
from typing import Self

import matplotlib.figure
import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.layout_engine import ConstrainedLayoutEngine

from common.errors import InputError

PALETTE = (
    "#1f77b4",
    "#ff7f0e",
    "#2ca02c",
    "#d62728",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#5f5f5f",
    "#bcbd22",
    "#17becf",
)


class Figure(matplotlib.figure.Figure):
    """A figure that pyplot does not know: nothing to close, nothing left open.

    Jupyter shows pyplot-free figures only after something else has imported pyplot; with its own
    PNG the figure appears as the last expression of a cell in any case.
    """

    def __init__(self, width: float = 6.4, height: float = 4.8, **options):
        super().__init__(figsize=(width, height), dpi=100, **options)

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()

    def keep(self, path: str | os.PathLike) -> Self:
        """Write the figure to `path`, in a folder made where there is none, and return it.

        Raises:
            InputError: a file that cannot be written.
        """
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.savefig(path)
        except OSError as error:
            raise InputError(
                f"{path} cannot be written ({error.strerror or error}). "
                "Name a folder that you may write to."
            ) from error
        return self


def chart(width: float, height: float) -> Figure:
    """Return an empty figure that makes room for the labels of what is drawn on it."""
    return Figure(width, height, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))


def class_colours(count: int) -> np.ndarray:
    """Return `count` distinct RGBA colours, shape (count, 4), floats in [0, 1]."""
    if count <= len(PALETTE):
        return to_rgba_array(PALETTE[:count])
    return colormaps["turbo"](np.linspace(0.03, 0.97, count))


def dress(axes: Axes, xlabel: str, ylabel: str, title: str = "") -> None:
    """Name the axes and leave only the ink that carries data."""
    axes.set(xlabel=xlabel, ylabel=ylabel, title=title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
