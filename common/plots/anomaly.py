"""How well a score tells anomalies from normal images."""

import numpy as np
import pandas as pd

from common.errors import InputError
from common.plots.style import PALETTE, Figure, chart, dress


def roc_curve(fpr: np.ndarray, tpr: np.ndarray, auroc: float) -> Figure:
    """Draw the share of anomalies found against the share of false alarms.

    Args:
        fpr: (T,) false positive rates in [0, 1], rising with the threshold's descent.
        tpr: (T,) true positive rates at the same thresholds.
        auroc: the area under the curve, for the legend.

    Raises:
        InputError: rates of different lengths or outside [0, 1].
    """
    fpr, tpr = np.asarray(fpr, dtype=np.float64), np.asarray(tpr, dtype=np.float64)
    if fpr.ndim != 1 or fpr.shape != tpr.shape or len(fpr) < 2:
        raise InputError(
            f"fpr and tpr have shapes {fpr.shape} and {tpr.shape}; expected two lists of the same "
            "length, one rate per threshold."
        )
    rates = np.concatenate([fpr, tpr])
    if not ((rates >= 0) & (rates <= 1)).all():
        raise InputError("fpr and tpr must lie in [0, 1] without NaN: are both classes present?")
    figure = chart(4.8, 4.6)
    axes = figure.subplots()
    dress(axes, "false positive rate", "true positive rate", "Anomalies found and false alarms")
    axes.plot(fpr, tpr, color=PALETTE[0], linewidth=2, label=f"score, AUROC {auroc:.3f}")
    axes.fill_between(fpr, tpr, alpha=0.12, color=PALETTE[0], linewidth=0)
    axes.plot([0, 1], [0, 1], color="0.5", linestyle="--", label="chance, AUROC 0.500")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.legend(frameon=False, loc="lower right")
    return figure


def held_out_scores(auroc: pd.Series) -> Figure:
    """Draw the AUROC for each class that was left out of training, and their mean.

    Args:
        auroc: a value in [0, 1] for each class, whose names are the index.

    Raises:
        InputError: no class, or values outside [0, 1] or NaN.
    """
    if not len(auroc) or not ((auroc >= 0) & (auroc <= 1)).all():
        raise InputError(f"auroc is {list(auroc)}; expected a number in [0, 1] for each class.")
    figure = chart(6.4, 3.6)
    axes = figure.subplots()
    dress(axes, "class left out of training", "AUROC", "How well each class is told as strange")
    axes.grid(False, axis="x")
    # Above the lines, with the numbers inside, which would cross the line of the mean above them.
    bars = axes.bar([str(name) for name in auroc.index], auroc, color=PALETTE[0], zorder=3)
    axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=-13, color="white", zorder=4)
    mean = axes.axhline(auroc.mean(), color=PALETTE[1], label=f"mean {auroc.mean():.3f}")
    chance = axes.axhline(0.5, color="0.5", linestyle="--", label="chance")
    axes.set_ylim(0, 1.03)
    figure.legend(handles=[mean, chance], loc="outside right upper", frameon=False)
    return figure
