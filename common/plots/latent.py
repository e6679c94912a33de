"""Codes as points in a plane, coloured by class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from threadpoolctl import threadpool_limits

from common.errors import LARGEST, InputError, numbers, real_array
from common.plots.style import Figure, chart, class_colours
from common.plots.text import NAME, add_legend, as_text, names_of

FEWEST_CODES = 5  # that t-SNE can place
MOST_NAMES = 20  # more classes than this get a colour bar instead of a legend


def latent_space(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    means: bool = False,
) -> Figure:
    """Draw 2-D codes as points, coloured by class.

    Args:
        codes: (N, 2) floats.
        labels: (N,) integers; without them all points have one colour.
        class_names: the name of each class, indexed by label; None for the labels themselves.
        means: write each class's name at its mean.
    """
    codes = real_array("The codes", codes).astype(np.float64)
    if codes.ndim != 2 or codes.shape[1] != 2 or not len(codes):
        raise InputError(
            f"codes have shape {codes.shape}; the latent plane shows (N, 2). "
            "For more dimensions use `tsne(codes, labels)`."
        )
    codes = numbers("The codes", codes, None, -LARGEST, LARGEST)
    return _scatter(codes, labels, class_names, means, "latent")


def tsne(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Draw codes of any dimension in a plane that keeps neighbours together (t-SNE).

    5,000 codes take under a minute, and the time grows faster than their number.

    Args:
        codes: (N, D) floats, N at least 5.
        labels, class_names: as in `latent_space`.
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
    return _scatter(points, labels, class_names, False, "t-SNE")


def _scatter(
    points: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str] | None,
    means: bool,
    space: str,
) -> Figure:
    figure, axes = chart(6.6, 5.2, f"{space} dimension 1", f"{space} dimension 2")
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
    axes.scatter(*points[order].T, color=colours[index[order]], **looks)
    names = names_of(classes, class_names)
    handles = [Line2D([], [], marker="o", linestyle="", color=colour) for colour in colours]
    add_legend(figure, handles, names, loc="outside right upper", frameon=False, title="class")
    if means:
        names, look = as_text(names, NAME)
        # Out of the layout: a long name at the edge would take the room of the points.
        look |= {"ha": "center", "va": "center", "size": 12, "weight": "bold", "in_layout": False}
        look["path_effects"] = [withStroke(linewidth=4, foreground="white")]
        for row, name in enumerate(names):
            x, y = points[index == row].mean(axis=0)
            axes.text(x, y, name, look)
    return figure
