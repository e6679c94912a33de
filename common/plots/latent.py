"""Codes as points in a plane, coloured by class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from threadpoolctl import threadpool_limits

from common.errors import InputError
from common.plots.style import Figure, chart, class_colours, dress

FEWEST_CODES = 5  # that t-SNE makes a picture of

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
        class_names: the name of each class, indexed by label; the labels themselves when None.
        means: mark the mean of each class by its name.

    Raises:
        InputError: codes that are not (N, 2) or not finite, labels that do not fit them, a label
            without a name, means without labels.
    """
    codes = np.asarray(codes, dtype=np.float64)
    if codes.ndim != 2 or codes.shape[1] != 2:
        raise InputError(
            f"codes have shape {codes.shape}; the latent plane shows (N, 2). "
            "For more dimensions use `tsne(codes, labels)`."
        )
    return _scatter(codes, labels, class_names, means, "latent dimension {}")


def tsne(
    codes: np.ndarray,
    labels: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
) -> Figure:
    """Draw codes of any dimension in a plane that keeps neighbours together (t-SNE).

    It takes under a minute for 5,000 codes and grows faster than their number: give a part of a
    large set.

    Args:
        codes: (N, D) floats, N at least 5.
        labels: (N,) integers; without them all points have one colour.
        class_names: the name of each class, indexed by label; the labels themselves when None.
        seed: makes the picture repeatable.

    Raises:
        InputError: codes that are not (N, D), too few, all the same or not finite; labels that do
            not fit them; a label without a name.
    """
    codes = np.asarray(codes, dtype=np.float32)
    if codes.ndim != 2 or len(codes) < FEWEST_CODES:
        raise InputError(
            f"codes have shape {codes.shape}; t-SNE needs (N, D) with at least {FEWEST_CODES} "
            "codes. Flatten the code of a convolutional model with codes.reshape(len(codes), -1)."
        )
    _check_finite(codes)
    if np.ptp(codes, axis=0).max() == 0:
        raise InputError("All codes are the same: the encoder has collapsed, t-SNE has no picture.")
    # Slow to import, and no other plot needs it.
    from sklearn.manifold import TSNE

    # The usual 30 neighbours, fewer where the codes are few: t-SNE refuses more than it has.
    perplexity = min(30, (len(codes) - 1) / 3)
    # Many short steps: several threads wait for one another longer than they compute.
    # A single dimension has no two principal components to start from.
    start = "pca" if codes.shape[1] > 1 else "random"
    with threadpool_limits(1):
        points = TSNE(perplexity=perplexity, init=start, random_state=seed).fit_transform(codes)
    return _scatter(points, labels, class_names, False, "t-SNE dimension {}")


def _scatter(
    points: np.ndarray,
    labels: np.ndarray | None,
    class_names: Sequence[str] | None,
    means: bool,
    axis_name: str,
) -> Figure:
    _check_finite(points)
    if means and labels is None:
        raise InputError("means=True marks the mean of each class: give the labels too.")
    figure = chart(6.6, 5.2)
    axes = figure.subplots()
    dress(axes, axis_name.format(1), axis_name.format(2))
    # Smaller and fainter points for more of them, so that 500 and 60,000 both show their density.
    looks = {
        "s": np.clip(40_000 / len(points), 3, 24),
        "alpha": 0.8 if len(points) <= 5_000 else 0.6,
        "linewidths": 0,
        "rasterized": True,
    }
    if labels is None:
        axes.scatter(*points.T, color=class_colours(1), **looks)
        return figure

    labels = _check_labels(labels, len(points), class_names)
    classes, index = np.unique(labels, return_inverse=True)
    colours = class_colours(len(classes))
    # Mixed, because of points sorted by class only the last class would stay on top.
    order = np.random.default_rng(0).permutation(len(points))
    if len(classes) > MOST_NAMES:
        drawn = axes.scatter(*points[order].T, c=labels[order], cmap="turbo", **looks)
        figure.colorbar(drawn, label="class").solids.set_alpha(1)
        return figure
    axes.scatter(*points[order].T, color=colours[index[order]], **looks)
    names = [str(label) if class_names is None else class_names[label] for label in classes]
    handles = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=name)
        for colour, name in zip(colours, names, strict=True)
    ]
    figure.legend(handles=handles, loc="outside right upper", frameon=False, title="class")
    if means:
        for row, name in enumerate(names):
            _mark(axes, points[index == row].mean(axis=0), name)
    return figure


def _mark(axes: Axes, place: np.ndarray, name: str) -> None:
    axes.text(
        *place,
        name,
        ha="center",
        va="center",
        fontsize=12,
        fontweight="bold",
        path_effects=[withStroke(linewidth=4, foreground="white")],
    )


def _check_labels(labels: np.ndarray, count: int, class_names: Sequence[str] | None) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise InputError(
            f"labels are {labels.dtype} of shape {labels.shape}; expected ({count},) integers, "
            "one class per code."
        )
    if class_names is not None and not 0 <= labels.min() <= labels.max() < len(class_names):
        raise InputError(
            f"labels run over {labels.min()}…{labels.max()}, but there are {len(class_names)} "
            "class names, for the labels from 0 on. Give one for each class."
        )
    return labels


def _check_finite(points: np.ndarray) -> None:
    if not len(points) or not np.isfinite(points).all():
        raise InputError(
            f"{len(points)} codes, and a picture needs at least one and all of them finite. "
            "NaN or infinite codes mean that the training diverged."
        )
