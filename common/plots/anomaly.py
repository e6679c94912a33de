"""How well a score separates anomalies from normal images."""

import numpy as np
import pandas as pd

from common.errors import InputError, numbers
from common.plots.style import PALETTE, Figure, chart
from common.plots.text import names_of, set_names


def roc_curve(fpr: np.ndarray, tpr: np.ndarray, auroc: float) -> Figure:
    """Draw the share of anomalies found against the share of false alarms.

    Args:
        fpr: (T,) false positive rates in [0, 1], by falling threshold.
        tpr: (T,) true positive rates at the same thresholds.
        auroc: the area under the curve, for the legend.
    """
    fpr = numbers("The false positive rates", fpr, ("T",), 0, 1)
    tpr = numbers("The true positive rates", tpr, fpr.shape, 0, 1)
    auroc = float(numbers("The AUROC", [auroc], (1,), 0, 1)[0])
    title = "Anomalies found and false alarms"
    figure, axes = chart(4.8, 4.6, "false positive rate", "true positive rate", title)
    axes.plot(fpr, tpr, color=PALETTE[0], linewidth=2, label=f"score, AUROC {auroc:.3f}")
    axes.fill_between(fpr, tpr, alpha=0.12, color=PALETTE[0], linewidth=0)
    axes.plot([0, 1], [0, 1], color="0.5", linestyle="--", label="chance, AUROC 0.500")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.legend(frameon=False, loc="lower right")
    return figure


def held_out_scores(auroc: pd.Series) -> Figure:
    """Draw the AUROC for each class held out of training, and their mean.

    Args:
        auroc: a value in [0, 1] for each class, with the classes' names as the index.
    """
    if not isinstance(auroc, pd.Series):
        raise InputError(
            f"auroc is a {type(auroc).__name__}; expected a pandas Series with the classes' names "
            "as its index: pd.Series(values, index=names)."
        )
    values = numbers("The AUROC of the classes", auroc, ("K",), 0, 1)
    title = "How well each held-out class is detected"
    figure, axes = chart(6.4, 3.6, "class held out of training", "AUROC", title)
    axes.grid(False, axis="x")
    # The numbers stand inside the bars, which lie above the lines: the mean would cross them.
    bars = axes.bar(range(len(values)), values, color=PALETTE[0], zorder=3)
    set_names(axes.xaxis, names_of(range(len(values)), [*auroc.index]))
    axes.bar_label(bars, fmt="%.2f", fontsize=8, padding=-13, color="white", zorder=4)
    mean = axes.axhline(values.mean(), color=PALETTE[1], label=f"mean {values.mean():.3f}")
    chance = axes.axhline(0.5, color="0.5", linestyle="--", label="chance")
    axes.set_ylim(0, 1.03)
    figure.legend(handles=[mean, chance], loc="outside right upper", frameon=False)
    return figure
