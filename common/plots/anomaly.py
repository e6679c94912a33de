"""How well a score separates anomalies from normal images."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from common.errors import InputError, numbers
from common.plots.style import PALETTE, chart, class_colours, styled
from common.plots.text import add_legend, headed, names_of, set_names

Curve = tuple[np.ndarray, np.ndarray, float]


@styled
def roc_curve(
    fpr: np.ndarray,
    tpr: np.ndarray,
    auroc: float,
    label: str = "score",
    others: Mapping[str, Curve] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw the share of anomalies found against the share of false alarms.

    Args:
        fpr: (T,) false positive rates in [0, 1], by falling threshold.
        tpr: (T,) true positive rates at the same thresholds.
        auroc: the area under the curve, for the legend.
        label: the score's name.
        others: name → the same three of another score, drawn thin.
        title: a line above, such as the model, the data and the class held out.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    title = "anomalies found and false alarms" if title is None else title
    figure, axes = chart(ax, 4.6, "false positive rate", "true positive rate", title)
    curves = {label: (fpr, tpr, auroc), **(others or {})}
    handles, entries = [], []
    for (name, curve), colour in zip(curves.items(), class_colours(len(curves)), strict=True):
        chosen = not handles
        x, y, area = _curve(curve)
        width, order = (2.5, 2.0) if chosen else (0.9, 1.9)
        handles += axes.plot(x, y, color=colour, linewidth=width, zorder=order)
        entries.append((area, f"{name}, AUROC {area:.3f}"))
        if chosen:
            axes.fill_between(x, y, alpha=0.12, color=colour, linewidth=0)
    # The best of the others first.
    ranked = [0, *sorted(range(1, len(handles)), key=lambda place: -entries[place][0])]
    handles = [handles[place] for place in ranked]
    texts = [entries[place][1] for place in ranked]
    handles += axes.plot([0, 1], [0, 1], color="0.5", linestyle="--")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    place = {"loc": "lower right"}
    if others:
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "borderaxespad": 0}
    add_legend(axes, handles, [*texts, "chance, AUROC 0.500"], longest=40, **place)
    return figure


def _curve(curve: Curve) -> Curve:
    fpr, tpr, auroc = curve
    fpr = numbers("The false positive rates", fpr, ("T",), 0, 1)
    tpr = numbers("The true positive rates", tpr, fpr.shape, 0, 1)
    return fpr, tpr, float(numbers("The AUROC", [auroc], (1,), 0, 1)[0])


@styled
def held_out_scores(auroc: pd.Series, title: str | None = None, ax: Axes | None = None) -> Any:
    """Draw the AUROC for each class held out of training, and their mean.

    Args:
        auroc: a value in [0, 1] for each class, with the classes' names as the index.
        title: a line above what is shown.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    if not isinstance(auroc, pd.Series):
        raise InputError(
            f"auroc is a {type(auroc).__name__}; expected a pandas Series with the classes' names "
            "as its index: pd.Series(values, index=names)."
        )
    values = numbers("The AUROC of the classes", auroc, ("K",), 0, 1)
    what = headed(title, "how well each held-out class is detected")
    figure, axes = chart(ax, 3.8, "class held out of training", "AUROC", what)
    axes.grid(False, axis="x")
    # The numbers stand inside the bars, which lie above the lines: the mean would cross them.
    bars = axes.bar(range(len(values)), values, color=PALETTE[0], zorder=3)
    set_names(axes.xaxis, names_of(range(len(values)), [*auroc.index]))
    axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=-13, color="white", zorder=4)
    mean = axes.axhline(values.mean(), color=PALETTE[3], label=f"mean {values.mean():.3f}")
    chance = axes.axhline(0.5, color="0.5", linestyle="--", label="chance")
    axes.set_ylim(0, 1.03)
    axes.legend(handles=[mean, chance], loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure
