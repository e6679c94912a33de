"""Which classes a generator draws: now, and over its training."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from common.errors import InputError
from common.plots.style import PALETTE, Figure, chart, dress

MOST_NAMES = 30  # more modes than this are not named one by one


def mode_histogram(
    counts: np.ndarray,
    class_names: Sequence[str] | None = None,
    reference: np.ndarray | None = None,
) -> Figure:
    """Draw how many samples fell into each mode.

    Args:
        counts: (K,) samples per mode.
        class_names: K names; the modes' numbers when None. More than 30 modes are not named but
            ranked by their counts.
        reference: (K,) counts or shares of the data, drawn as a line scaled to the same number
            of samples; equal shares when None.

    Raises:
        InputError: counts that are not (K,), negative or without a sample, names or a reference
            of another length.
    """
    counts = _check_counts(counts, 1, "(K,)")
    if reference is None:
        name, reference = "equal shares", np.ones(len(counts))
    else:
        name, reference = "data", _check_counts(reference, 1, "(K,)", "reference")
    if reference.shape != counts.shape:
        raise InputError(f"The reference has {len(reference)} modes, the counts {len(counts)}.")
    expected = reference / reference.sum() * counts.sum()
    figure = chart(6.4, 3.6)
    axes = figure.subplots()
    title = f"{np.count_nonzero(counts):,} of {len(counts):,} modes in {counts.sum():,.0f} samples"
    dress(axes, "mode", "samples", title)
    axes.grid(False, axis="x")
    edges = np.arange(len(counts) + 1) - 0.5
    if len(counts) <= MOST_NAMES:
        bars = axes.bar(np.arange(len(counts)), counts, color=PALETTE[0])
        _name_modes(axes.xaxis, len(counts), class_names)
    else:
        # A thousand bars in the classes' order are noise; by rank they show what is missing, and on
        # a logarithmic scale a few crowded modes leave room for the others.
        counts, expected = np.sort(counts)[::-1], np.sort(expected)[::-1]
        bars = axes.stairs(counts, edges, fill=True, color=PALETTE[0])
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7 * min(1.0, counts[counts > 0].min()))
        axes.set_xlabel("modes, the most frequent first")
    line = axes.stairs(expected, edges, baseline=None, color=PALETTE[1], linewidth=1.5)
    axes.set_xlim(edges[0], edges[-1])
    figure.legend([bars, line], ["generated", name], loc="outside right upper", frameon=False)
    return figure


def mode_history(
    counts_per_epoch: Mapping[int, np.ndarray] | Sequence[np.ndarray] | np.ndarray,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Draw the share of samples in each mode over the epochs as a heat map.

    Args:
        counts_per_epoch: (epochs, K) samples per mode; or a dict epoch -> (K,).
        class_names: K names; the modes' numbers when None. More than 30 modes are not named but
            ranked by their counts, in each epoch anew, and the colours are logarithmic.

    Raises:
        InputError: counts of another shape, negative, or an epoch without a sample; names of
            another number.
    """
    if isinstance(counts_per_epoch, Mapping):
        epochs = sorted(counts_per_epoch)
        counts_per_epoch = [counts_per_epoch[epoch] for epoch in epochs]
    else:
        epochs = range(1, len(counts_per_epoch) + 1)
    counts = _check_counts(counts_per_epoch, 2, "(epochs, K)")
    shares = counts / counts.sum(axis=1, keepdims=True)
    colours = {"vmin": 0}
    ranked = counts.shape[1] > MOST_NAMES
    if ranked:
        # A mode that no sample shows stays white, so that a column's length is the modes it covers.
        shares = np.ma.masked_equal(-np.sort(-shares, axis=1), 0)
        colours = {"norm": LogNorm(shares.min(), shares.max())}
    figure = chart(6.8, 3.8)
    axes = figure.subplots()
    dress(axes, "epoch", "mode", "Share of the samples in each mode")
    axes.grid(False)
    drawn = axes.pcolormesh(
        np.arange(len(epochs) + 1) - 0.5,
        np.arange(counts.shape[1] + 1) - 0.5,
        shares.T,
        cmap="viridis",
        rasterized=True,
        **colours,
    )
    # Measured every few epochs, the columns still stand side by side under their epochs' numbers.
    shown = range(0, len(epochs), -(-len(epochs) // 10))
    axes.set_xticks(shown, [str(epochs[i]) for i in shown])
    _name_modes(axes.yaxis, counts.shape[1], class_names)
    if ranked:
        axes.set_ylabel("modes, the most frequent first")
    axes.invert_yaxis()
    figure.colorbar(drawn, label="share of samples")
    return figure


def _check_counts(counts: object, dimensions: int, shape: str, name: str = "counts") -> np.ndarray:
    try:
        counts = np.asarray(counts, dtype=np.float64)
    except ValueError as error:
        raise InputError(
            f"{name} differ in length from epoch to epoch; expected {shape}."
        ) from error
    if counts.ndim != dimensions or not counts.size:
        raise InputError(f"{name} have shape {counts.shape}; expected {shape}.")
    if not (counts >= 0).all() or not (counts.sum(axis=-1) > 0).all():
        raise InputError(
            f"{name} must not be negative, and at least one sample must be counted in each epoch."
        )
    return counts


def _name_modes(axis: Axis, count: int, class_names: Sequence[str] | None) -> None:
    if class_names is not None and len(class_names) != count:
        raise InputError(f"{len(class_names)} class names for {count} modes; give one for each.")
    if count > MOST_NAMES:
        axis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        return
    names = [str(mode) for mode in range(count)] if class_names is None else class_names
    # Words need more room than digits.
    slanted = axis.axis_name == "x" and max(map(len, names)) > 4
    axis.set_ticks(range(count), names)
    if slanted:
        axis.set_tick_params(rotation=40)
        for text in axis.get_ticklabels():
            text.set(ha="right", rotation_mode="anchor")
