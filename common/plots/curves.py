"""What a training recorded, in panels by the metrics' meaning."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from common.metrics import KNOWN, MetricKind, history_table, kinds_of
from common.plots.style import Figure, class_colours, dress, sheet, styled
from common.plots.text import add_legend, as_text

# The unit of each kind whose metrics have a panel each.
UNITS = {
    "loss": "loss per image",
    "squared error": "squared error per image",
    "nats": "nats per image",
    "share": "share correct",
    "error": "per pixel",
    "distance": "score real − generated",
}
# The title and unit of the panel that the metrics of a kind share.
SHARED = {
    "player loss": ("losses of the players", "loss per image"),
    "probability": ("the discriminator's probabilities", "mean probability of real"),
    "score": ("the discriminator's score", "mean score, real towards 1"),
    "norm": ("gradients", "mean L2 norm"),
}
TITLES = {"kl_loss": "KL loss", "mse": "mean squared error"}
IMAGES = {"real": "real images", "fake": "generated images"}
# Where values reach this factor above their median, a linear scale would flatten most of them.
FLATTENING = 20
# Where the first epochs widen the range of the others by this factor, the scale leaves them out.
WIDENING = 1.5
FEWEST_EPOCHS = 5  # of which some may be left out
FULL_WIDTH = 10.0  # inches, for one panel or three in a row
_TABLES = (Mapping, pd.DataFrame)
DASHES = {"": "solid", "val_": "dashed", "test_": "dashdot"}


class Line(NamedTuple):
    """One line of a panel.

    Attributes:
        run: the history's name, "" if there is one history.
        label: what it measures, "" if the panel says it.
        prefix: of the metric's name: "" for training images, else `val_` or `test_`.
        epochs, values: its points, (E,) each.
    """

    run: str
    label: str
    prefix: str
    epochs: np.ndarray
    values: np.ndarray


@styled
def loss_curves(
    history: Any,
    kinds: Mapping[str, MetricKind] | None = None,
    split: str = "validation",
    title: str | None = None,
) -> Figure:
    """Draw each metric over the epochs, of training images and of validation or test images.

    The losses of a GAN's two players share a panel, and so do the discriminator's outputs for real
    and generated images. A loss equal to the reconstruction loss is drawn once. Where the first
    epochs would squeeze all others, the scale leaves them out and the panel says what is beyond;
    a panel of positive values, some far above most, has a logarithmic scale.

    Args:
        history: as `history_table` takes it, with at least one epoch; or a dict, name → history,
            for several trainings in one figure. Metrics whose names begin with `test_` are of test
            images.
        kinds: what the metrics mean, the model's `metric_kinds`; None for `kinds_of` the history.
            A metric of unknown meaning has a panel of its own.
        split: the images of the `val_` metrics: "validation" or "test".
        title: a line above all panels, such as the model, the data and the epochs.
    """
    panels: dict[tuple[str, str], list[Line]] = {}
    runs = _runs(history)
    for run, one in runs.items():
        table, epochs = history_table(one)
        for panel, members in _panels(table, kinds_of(one, kinds)).items():
            panels.setdefault(panel, []).extend(_lines(run, members, table, epochs))
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = sheet(FULL_WIDTH, 2.8 * rows + 0.3 * (title is not None))
    names = {"": "training", "val_": split, "test_": "test"}
    for place, ((heading, unit), lines) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        dress(axes, "epoch", unit, heading)
        _draw(axes, lines, [*runs], names)
    if title is not None:
        (shown,), look = as_text([title])
        figure.suptitle(shown, **look)
    return figure


def _runs(history: Any) -> Mapping[str, Any]:
    """Name → history; one history has the name ""."""
    if not isinstance(history, Mapping) or not history:
        return {"": history}
    if not all(hasattr(x, "history") or isinstance(x, _TABLES) for x in history.values()):
        return {"": history}
    return {str(name): one for name, one in history.items()}


def _draw(axes: Axes, lines: Sequence[Line], runs: Sequence[str], names: Mapping[str, str]) -> None:
    """Draw the lines; colours tell runs and metrics apart, or else splits; dashes tell splits."""
    ticks = MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10], min_n_ticks=1)
    axes.xaxis.set_major_locator(ticks)
    metrics = dict.fromkeys(line.label for line in lines)
    alone = len(runs) == len(metrics) == 1
    looks = [line.prefix if alone else (line.run, line.label) for line in lines]
    # A run has the same colour in every panel.
    several = [*DASHES] if alone else [(run, metric) for metric in metrics for run in runs]
    colours = dict(zip(several, class_colours(len(several)), strict=True))
    handles, labels = [], []
    for line, look in zip(lines, looks, strict=True):
        marker = "o" if len(line.values) == 1 else ""
        style = {"color": colours[look], "linestyle": DASHES[line.prefix], "marker": marker}
        handles += axes.plot(line.epochs, line.values, **style)
        # The labels say "training" only where nothing else is said.
        of = names[line.prefix] if line.prefix or not (line.run or line.label) else ""
        labels.append(", ".join(part for part in (line.run, line.label, of) if part))
    add_legend(axes, handles, labels)
    _scale(axes, lines)


def _scale(axes: Axes, lines: Sequence[Line]) -> None:
    """Choose the limits and the scale by which most epochs can be read."""
    epochs = np.concatenate([line.epochs for line in lines])
    values = np.concatenate([line.values for line in lines])
    epochs, values = epochs[np.isfinite(values)], values[np.isfinite(values)]
    if not values.size:
        return
    last = np.unique(epochs)
    if len(last) >= FEWEST_EPOCHS:
        kept = values[epochs >= last[max(1, len(last) // 20)]]
        low, high = kept.min(), kept.max()
        reach = max(values.max() - high, 0), max(low - values.min(), 0)
        if high > low and sum(reach) > (WIDENING - 1) * (high - low):
            margin = 0.08 * (high - low)
            axes.set_ylim(low - margin, high + margin)
            far = values.argmax() if reach[0] >= reach[1] else values.argmin()
            axes.set_xlabel(f"epoch (beyond the scale: {values[far]:.3g} in epoch {epochs[far]:g})")
            values = kept
    if values.min() > 0 and values.max() > FLATTENING * np.median(values):
        axes.set_yscale("log")


def _panels(
    table: Mapping[str, np.ndarray], kinds: Mapping[str, MetricKind]
) -> dict[tuple[str, str], dict[str, str]]:
    """Title and unit of each panel → metric → its label; known kinds first, in order."""
    recorded = [re.sub("^(val|test)_", "", name) for name in table]
    names = dict.fromkeys([name for name in kinds if name in recorded] + recorded)
    if np.array_equal(table.get("loss", 0), table.get("reconstruction_loss", 1)):
        del names["loss"]
    panels: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        kind, of = kinds.get(name) or KNOWN.get(name, MetricKind(""))
        title = name.replace("_", " ")
        own = TITLES.get(name, title), UNITS.get(kind, title)
        label = IMAGES.get(of, title.removesuffix(" loss"))
        panels.setdefault(SHARED.get(kind, own), {})[name] = label
    return panels


def _lines(
    run: str, members: Mapping[str, str], table: Mapping[str, np.ndarray], epochs: np.ndarray
) -> Iterator[Line]:
    """The lines of one history in a panel whose metrics have these labels."""
    for prefix in DASHES:
        for name, label in members.items():
            if (values := table.get(prefix + name)) is not None:
                # If Keras validates every k-th epoch, it lists every k-th value without a gap.
                step = len(epochs) // len(values)
                measured = epochs[step - 1 :: step][: len(values)]
                yield Line(run, label if len(members) > 1 else "", prefix, measured, values)
