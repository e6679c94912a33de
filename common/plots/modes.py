"""Which classes a generator draws: now, and over its training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator, PercentFormatter

from common.errors import as_counts, as_texts
from common.plots.style import PALETTE, chart, epochs_of, styled
from common.plots.text import headed, names_of, set_names

MOST_NAMES = 30  # more modes than this are ranked instead of named
MOST_WRITTEN = 20  # modes or epochs that leave room for a number in each cell
SATURATED = 3  # times an equal share, where the colours of a heat map end


@styled
def mode_histogram(
    counts: np.ndarray,
    class_names: Sequence[str] | None = None,
    reference: np.ndarray | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw how many samples fell into each mode.

    Args:
        counts: (K,) samples per mode, not all 0.
        class_names: K names; None for the modes' numbers. More than 30 modes are ranked instead.
        reference: (K,) counts or shares of the data, drawn as a line; None for equal shares.
        title: a line above the number of modes.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    counts = as_counts("The counts", counts)
    name = "equal shares" if reference is None else "data"
    if reference is None:
        reference = np.ones(len(counts))
    reference = as_counts("The reference", reference, counts.shape)
    expected = reference / reference.sum() * counts.sum()
    edges = np.arange(len(counts) + 1) - 0.5
    found = f"{np.count_nonzero(counts):,} of {len(counts):,} modes in {counts.sum():,.0f} samples"
    figure, axes = chart(ax, 3.8, "mode", "samples", headed(title, found))
    axes.grid(False, axis="x")
    if len(counts) <= MOST_NAMES:
        bars = axes.bar(range(len(counts)), counts, color=PALETTE[0])
        _name_modes(axes.xaxis, len(counts), class_names)
    else:
        # A thousand bars in the order of classes look like noise.
        counts, expected = np.sort(counts)[::-1], np.sort(expected)[::-1]
        bars = axes.stairs(counts, edges, fill=True, color=PALETTE[0])
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7 * min(1.0, counts[counts > 0].min()))
        axes.set_xlabel("modes, the most frequent first")
    line = axes.stairs(expected, edges, baseline=None, color=PALETTE[1], linewidth=1.5)
    axes.set_xlim(edges[0], edges[-1])
    handles: list[Any] = [bars, line]
    axes.legend(handles, ["generated", name], loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure


@styled
def mode_history(
    counts_per_epoch: Mapping[int, np.ndarray],
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw the share of samples in each mode over the epochs as a heat map.

    Its colours end at three times an equal share, so that pictures compare and one epoch in which
    all samples were alike leaves the others their colours; each cell's share is written in it.

    Args:
        counts_per_epoch: epoch -> (K,) samples per mode, not all 0, as a `ModeWatcher` counts them.
        class_names: K names; None for the modes' numbers. More than 30 modes are ranked instead,
            in each epoch separately, and the colours are logarithmic.
        title: a line above what is shown.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    epochs = epochs_of("count", counts_per_epoch)
    rows = [counts_per_epoch[epoch] for epoch in epochs]
    counts = as_counts("The counts of the epochs", rows, ("E", "K"))
    shares = counts / counts.sum(axis=1, keepdims=True)
    few = max(shares.shape) <= MOST_WRITTEN
    most = SATURATED / counts.shape[1]
    colours: dict = {"vmin": 0, "vmax": most}
    ranked = counts.shape[1] > MOST_NAMES
    if ranked:
        # Modes without a sample stay white: the length of a column is the number of modes covered.
        shares = np.ma.masked_equal(-np.sort(-shares, axis=1), 0)
        colours = {"norm": LogNorm(shares.min(), shares.max())}
    what = headed(title, "share of the samples in each mode" + ", %" * few)
    figure, axes = chart(ax, 3.8, "epoch", "mode", what)
    axes.grid(False)
    corners = [np.arange(size + 1) - 0.5 for size in shares.shape]
    drawn = axes.pcolormesh(*corners, shares.T, cmap="viridis", rasterized=True, **colours)
    # Columns stand side by side, even if only every few epochs were counted.
    shown = range(0, len(epochs), -(-len(epochs) // 10))
    axes.set_xticks(shown, [str(epochs[i]) for i in shown])
    _name_modes(axes.yaxis, counts.shape[1], class_names)
    if ranked:
        axes.set_ylabel("modes, the most frequent first")
    axes.invert_yaxis()
    beyond = "max" if not ranked and shares.max() > most else "neither"
    bar = figure.colorbar(drawn, ax=axes, label="share of samples", extend=beyond)
    if not ranked:
        bar.ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    if few:
        for (column, row), share in np.ndenumerate(shares):
            colour = "black" if share > 0.6 * most else "white"
            # Less than half a percent reads "0", and a mode without a sample nothing.
            if share:
                text = f"{100 * share:.0f}"
                axes.text(column, row, text, size=7, color=colour, ha="center", va="center")
    return figure


def _name_modes(axis: Axis, count: int, class_names: Sequence[str] | None) -> None:
    if count > MOST_NAMES:
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        return
    if class_names is not None:
        class_names = as_texts("class_names", class_names, count)
    set_names(axis, names_of(range(count), class_names))
