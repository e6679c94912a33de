"""Which classes a generator draws: now, and over its training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from common.errors import as_counts, as_texts
from common.plots.style import PALETTE, Figure, chart, epochs_of
from common.plots.text import names_of, set_names

MOST_NAMES = 30  # more modes than this are ranked instead of named


def mode_histogram(
    counts: np.ndarray,
    class_names: Sequence[str] | None = None,
    reference: np.ndarray | None = None,
) -> Figure:
    """Draw how many samples fell into each mode.

    Args:
        counts: (K,) samples per mode, not all 0.
        class_names: K names; None for the modes' numbers. More than 30 modes are ranked instead.
        reference: (K,) counts or shares of the data, drawn as a line; None for equal shares.
    """
    counts = as_counts("The counts", counts)
    name = "equal shares" if reference is None else "data"
    if reference is None:
        reference = np.ones(len(counts))
    reference = as_counts("The reference", reference, counts.shape)
    expected = reference / reference.sum() * counts.sum()
    edges = np.arange(len(counts) + 1) - 0.5
    title = f"{np.count_nonzero(counts):,} of {len(counts):,} modes in {counts.sum():,.0f} samples"
    figure, axes = chart(6.4, 3.6, "mode", "samples", title)
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
    figure.legend(handles, ["generated", name], loc="outside right upper", frameon=False)
    return figure


def mode_history(
    counts_per_epoch: Mapping[int, np.ndarray], class_names: Sequence[str] | None = None
) -> Figure:
    """Draw the share of samples in each mode over the epochs as a heat map.

    Args:
        counts_per_epoch: epoch -> (K,) samples per mode, not all 0, as a `ModeWatcher` counts them.
        class_names: K names; None for the modes' numbers. More than 30 modes are ranked instead,
            in each epoch separately, and the colours are logarithmic.
    """
    epochs = epochs_of("count", counts_per_epoch)
    rows = [counts_per_epoch[epoch] for epoch in epochs]
    counts = as_counts("The counts of the epochs", rows, ("E", "K"))
    shares = counts / counts.sum(axis=1, keepdims=True)
    colours: dict = {"vmin": 0}
    ranked = counts.shape[1] > MOST_NAMES
    if ranked:
        # Modes without a sample stay white: the length of a column is the number of modes covered.
        shares = np.ma.masked_equal(-np.sort(-shares, axis=1), 0)
        colours = {"norm": LogNorm(shares.min(), shares.max())}
    figure, axes = chart(6.8, 3.8, "epoch", "mode", "Share of the samples in each mode")
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
    figure.colorbar(drawn, label="share of samples")
    return figure


def _name_modes(axis: Axis, count: int, class_names: Sequence[str] | None) -> None:
    if count > MOST_NAMES:
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        return
    if class_names is not None:
        class_names = as_texts("class_names", class_names, count)
    set_names(axis, names_of(range(count), class_names))
