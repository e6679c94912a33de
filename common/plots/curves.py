"""What a training recorded, in panels by the metrics' meaning."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from common.metrics import KNOWN, MetricKind, history_table, kinds_of
from common.plots.style import Figure, class_colours, dress, sheet
from common.plots.text import add_legend

# The unit of each kind whose metrics have a panel each.
UNITS = {
    "loss": "per image",
    "nats": "nats per image",
    "share": "share correct",
    "error": "per pixel",
    "distance": "score real − generated",
}
# The title and unit of the panel that the metrics of a kind share.
SHARED = {
    "player loss": ("losses of the players", "loss"),
    "probability": ("the discriminator's probabilities", "mean probability of real"),
    "score": ("the discriminator's score", "mean score, real towards 1"),
    "norm": ("gradients", "mean L2 norm"),
}
TITLES = {"kl_loss": "KL loss", "mse": "mean squared error"}
IMAGES = {"real": "real images", "fake": "generated images"}
# One epoch, mostly the first, that exceeds the median by this factor would flatten all others.
FLATTENING = 20


def loss_curves(
    history: Any, kinds: Mapping[str, MetricKind] | None = None, split: str = "validation"
) -> Figure:
    """Draw each metric over the epochs, training and validation or test in one panel.

    The losses of a GAN's two players share a panel, and so do the discriminator's outputs for real
    and generated images. A loss equal to the reconstruction loss is drawn once. A panel of positive
    values, some far above most, has a logarithmic scale.

    Args:
        history: as `history_table` takes it, with at least one epoch. Metrics whose names begin
            with `test_` are of test images.
        kinds: what the metrics mean, the model's `metric_kinds`; None for `kinds_of` the history.
            A metric of unknown meaning has a panel of its own.
        split: the images of the `val_` metrics: "validation" or "test".
    """
    table, epochs = history_table(history)
    panels = _panels(table, kinds_of(history, kinds), split)
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = sheet(0.4 + 3.4 * columns, 2.7 * rows)
    for place, ((title, unit), lines) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        dress(axes, "epoch", unit, title)
        ticks = MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10], min_n_ticks=1)
        axes.xaxis.set_major_locator(ticks)
        handles = []
        for (_, values), colour in zip(lines, class_colours(len(lines)), strict=True):
            # If Keras validates every k-th epoch, it lists every k-th value without a gap.
            step = len(epochs) // len(values)
            measured = epochs[step - 1 :: step][: len(values)]
            marker = "o" if len(values) == 1 else ""
            handles += axes.plot(measured, values, color=colour, marker=marker)
        shown = np.concatenate([values for _, values in lines])
        shown = shown[np.isfinite(shown)]
        if shown.size and shown.min() > 0 and shown.max() > FLATTENING * np.median(shown):
            axes.set_yscale("log")
        labels = [label for label, _ in lines]
        add_legend(axes, handles, labels, fontsize=8, edgecolor="none", framealpha=0.7)
    return figure


def _panels(
    table: Mapping[str, np.ndarray], kinds: Mapping[str, MetricKind], split: str
) -> dict[tuple[str, str], list[tuple[str, np.ndarray]]]:
    """Title and unit of each panel -> legend entries and values; known kinds first, in order."""
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
    return {panel: _lines(members, table, split) for panel, members in panels.items()}


def _lines(
    members: Mapping[str, str], table: Mapping[str, np.ndarray], split: str
) -> list[tuple[str, np.ndarray]]:
    """Legend entries and values of the metrics that share a panel, each with its label."""
    lines = []
    for prefix, images in {"": "training", "val_": split, "test_": "test"}.items():
        for name, label in members.items():
            if len(members) == 1:
                label = images
            elif prefix:
                label += f", {images}"
            if prefix + name in table:
                lines.append((label, table[prefix + name]))
    return lines
