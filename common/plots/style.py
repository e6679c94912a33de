"""What all pictures share: the figure, the style sheet, the palette, the dress of an axes."""

import io
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral
from pathlib import Path
from typing import Any, Self

import matplotlib.figure
import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba_array
from matplotlib.layout_engine import ConstrainedLayoutEngine

from common.errors import InputError
from common.plots.text import as_text

# Petroff's ten colours (arXiv:2107.02270). In this order every two of one marker differ clearly,
# also for a deuteranope or protanope; `tests/test_plots_colours.py` measures it.
PALETTE = (
    *("#3f90da", "#ffa90e", "#832db6", "#e76300", "#bd1f01"),
    *("#b9ac70", "#94a4a2", "#a96b59", "#717581", "#92dadd"),
)
MARKERS = ("o", "s", "^", "D", "v")
WIDTH = 7.0  # inches of every chart

# The style sheet of everything that is drawn on axes of our own.
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.title_fontsize": 8,
    "legend.frameon": False,
    "figure.titlesize": 11,
    "lines.linewidth": 1.5,
}
styled = rc_context(STYLE)


class Figure(matplotlib.figure.Figure):
    """A figure that pyplot does not know, so that it need not be closed.

    Jupyter shows such figures only after pyplot has been imported; with a PNG of its own the figure
    always shows as the last expression of a cell.
    """

    def __init__(self, width: float = 6.4, height: float = 4.8, **options):
        super().__init__(figsize=(width, height), dpi=100, **options)

    def _repr_png_(self) -> bytes:
        png = io.BytesIO()
        self.savefig(png, format="png")
        return png.getvalue()

    def keep(self, path: str | os.PathLike) -> Self:
        """Write the figure to `path`, make its folder if needed, and return the figure."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.savefig(path)
        # A terminal shows no picture.
        shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
        if type(shell).__name__ == "TerminalInteractiveShell":
            print(path)
        return self

    def draw(self, renderer: Any) -> None:
        with _boxes_for_letters_without_a_font():
            super().draw(renderer)

    def get_tightbbox(self, *args: Any, **options: Any) -> Any:
        with _boxes_for_letters_without_a_font():
            return super().get_tightbbox(*args, **options)


@contextmanager
def _boxes_for_letters_without_a_font() -> Iterator[None]:
    """No warning for each letter that no installed font has: the box in its place says it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing|.* does not support \w+ natively")
        yield


def sheet(width: float, height: float) -> Figure:
    """An empty figure, in inches, that makes room for the labels of what is drawn on it."""
    return Figure(width, height, layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.08))


def chart(ax: Axes | None, height: float, *labels: str) -> tuple[Any, Axes]:
    """An axes, on its figure, with the labels that `dress` takes.

    Args:
        ax: a user's; None for one of its own, `WIDTH` wide.
        height: of a figure of its own, in inches.
        labels: of the x axis and the y axis, and the title.
    """
    axes = sheet(WIDTH, height).subplots() if ax is None else as_axes(ax)
    dress(axes, *labels)
    return axes.figure, axes


def as_axes(ax: Any) -> Axes:
    """A user's axes, or an `InputError`."""
    if not isinstance(ax, Axes):
        raise InputError(
            f"ax is a {type(ax).__name__}; expected one Matplotlib Axes, such as an element of "
            "what `figure.subplots()` returns."
        )
    return ax


def class_colours(count: int) -> np.ndarray:
    """`count` distinct RGBA colours, floats in [0, 1], (count, 4)."""
    if count <= len(PALETTE):
        return to_rgba_array(PALETTE[:count])
    return colormaps["turbo"](np.linspace(0.03, 0.97, count))


def class_markers(count: int) -> list[str]:
    """A marker for each of `count` classes: five shapes in turn."""
    return [MARKERS[index % len(MARKERS)] for index in range(count)]


def epochs_of(what: str, by_epoch: Mapping[int, Any]) -> list[int]:
    """The epochs under which there is something, in order, or an `InputError`."""
    fits = isinstance(by_epoch, Mapping) and all(isinstance(epoch, Integral) for epoch in by_epoch)
    if not fits or not by_epoch:
        raise InputError(f"There is no {what} by epoch; expected a dict, epoch -> {what}.")
    return sorted(by_epoch)


def dress(axes: Axes, xlabel: str, ylabel: str, title: str = "") -> None:
    """Label the axes and remove the ink that carries no data."""
    (xlabel, ylabel, title), look = as_text([xlabel, ylabel, title])
    axes.set_xlabel(xlabel, **look)
    axes.set_ylabel(ylabel, **look)
    axes.set_title(title, **look)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
