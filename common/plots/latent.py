"""Codes as points in a plane, coloured by class."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patheffects import withStroke
from threadpoolctl import threadpool_limits

from common.errors import LARGEST, InputError, numbers, real_array
from common.plots.style import chart, class_colours, class_markers, styled
from common.plots.text import NAME, add_legend, as_text, names_of

FEWEST_CODES = 5  # that t-SNE can place
LETTER = np.array([0.115, 0.2])  # inches, width and height of a letter of a mean's name
MOST_NAMES = 20  # more classes than this get a colour bar instead of a legend


def latent_space(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    means: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw 2-D codes as points, coloured by class.

    Args:
        codes: (N, 2) floats.
        labels: (N,) integers; without them all points have one colour.
        class_names: the name of each class, indexed by label; None for the labels themselves.
        means: write each class's name at its mean, or beside it where names would overlap.
        title: a line above the plane.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    codes = real_array("The codes", codes).astype(np.float64)
    if codes.ndim != 2 or codes.shape[1] != 2 or not len(codes):
        raise InputError(
            f"codes have shape {codes.shape}; the latent plane shows (N, 2). "
            "For more dimensions use `tsne(codes, labels)`."
        )
    codes = numbers("The codes", codes, None, -LARGEST, LARGEST)
    return _scatter(codes, labels, class_names, means, "latent", title, ax)


def tsne(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw codes of any dimension in a plane that keeps neighbours together (t-SNE).

    5,000 codes take under a minute, and the time grows faster than their number.

    Args:
        codes: (N, D) floats, N at least 5.
        labels, class_names, title, ax: as in `latent_space`.

    Returns:
        The figure.
    """
    codes = real_array("The codes", codes).astype(np.float32)
    if codes.ndim != 2 or len(codes) < FEWEST_CODES or not codes.size:
        raise InputError(
            f"codes have shape {codes.shape}; t-SNE needs (N, D) with at least {FEWEST_CODES} "
            "codes. Flatten the code of a convolutional model with codes.reshape(len(codes), -1)."
        )
    codes = numbers("The codes", codes, None, -LARGEST, LARGEST)
    if np.ptp(codes, axis=0).max() == 0:
        raise InputError("All codes are the same: the encoder has collapsed, t-SNE has no picture.")
    # Slow to import, and no other plot needs it.
    from sklearn.manifold import TSNE

    # 30 neighbours are usual, but there must be more codes.
    perplexity = min(30, (len(codes) - 1) / 3)
    # A single dimension has no two principal components to start from.
    start = "pca" if codes.shape[1] > 1 else "random"
    # Many short steps: more threads only wait for one another.
    with threadpool_limits(1):
        points = TSNE(perplexity=perplexity, init=start, random_state=0).fit_transform(codes)
    return _scatter(points, labels, class_names, False, "t-SNE", title, ax)


@styled
def _scatter(
    points: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str] | None,
    means: bool,
    space: str,
    title: str | None,
    ax: Axes | None,
) -> Any:
    figure, axes = chart(
        ax, 5.2, f"{space} dimension 1", f"{space} dimension 2", "" if title is None else title
    )
    # More points are drawn smaller and fainter, so that 500 and 60,000 both show their density.
    size, alpha = np.clip(40_000 / len(points), 3, 24), 0.8 if len(points) <= 5_000 else 0.6
    looks = {"s": size, "alpha": alpha, "linewidths": 0, "rasterized": True}
    if labels is None:
        axes.scatter(*points.T, color=class_colours(1), **looks)
        return figure

    labels = real_array("The labels", labels)
    if labels.shape != (len(points),) or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}; expected ({len(points)},) "
            "integers, one class per code."
        )
    classes, index = np.unique(labels, return_inverse=True)
    colours = class_colours(len(classes))
    # Shuffled: if the points are sorted by class, the last class would cover the others.
    order = np.random.default_rng(0).permutation(len(points))
    if len(classes) > MOST_NAMES:
        drawn = axes.scatter(*points[order].T, c=labels[order], cmap="turbo", **looks)
        # Opaque, unlike the points.
        figure.colorbar(ScalarMappable(drawn.norm, drawn.cmap), ax=axes, label="class")
        return figure
    drawn = axes.scatter(*points[order].T, color=colours[index[order]], **looks)
    markers = [MarkerStyle(marker) for marker in class_markers(len(classes))]
    shapes = [marker.get_path().transformed(marker.get_transform()) for marker in markers]
    drawn.set_paths([shapes[row] for row in index[order]])
    names = names_of(classes, class_names)
    handles = [
        Line2D([], [], marker=marker, linestyle="", markersize=5, color=colour)
        for marker, colour in zip(markers, colours, strict=True)
    ]
    beside = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
    add_legend(axes, handles, names, title="class", **beside)
    if means:
        _name_means(axes, [points[index == row].mean(axis=0) for row in range(len(names))], names)
    return figure


def _name_means(axes: Axes, means: Sequence[np.ndarray], names: Sequence[str]) -> None:
    """Write each name at its mean (2,); where names overlap, apart and with a line to it."""
    shown, look = as_text(names, NAME)
    # Out of the layout: a long name at the edge would take the room of the points.
    look |= {"ha": "center", "va": "center", "size": 11, "weight": "bold", "in_layout": False}
    look["path_effects"] = [withStroke(linewidth=4, foreground="white")]
    look["arrowprops"] = {"arrowstyle": "-", "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
    corner, extent = np.array([axes.get_xlim(), axes.get_ylim()]).T, axes.viewLim.size
    letters = np.array([[max(len(name), 1.5), 1] for name in shown])
    sizes = letters * LETTER * axes.figure.dpi / axes.get_window_extent().size
    places = _apart((np.array(means) - corner[0]) / extent, sizes) * extent + corner[0]
    for name, mean, place in zip(shown, means, places, strict=True):
        axes.annotate(name, tuple(mean), xytext=tuple(place), **look)


def _apart(middles: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The middles (K, 2) of boxes (K, 2), moved up or down until no two boxes overlap."""
    moved = middles.copy()
    least = (sizes[:, None] + sizes) / 2
    rank = np.argsort(np.argsort(moved[:, 1], kind="stable"))
    ways = np.sign(rank[:, None] - rank)
    for _ in range(200):
        # How far each box would have to go for each other one, in x and y; the order in y stays.
        room = least - np.abs(moved[:, None] - moved)
        height = np.where((room > 1e-9).all(axis=-1), room[..., 1], 0)
        np.fill_diagonal(height, 0)
        if not height.any():
            break
        moved[:, 1] += 0.55 * (height * ways).sum(axis=1)
    return moved
