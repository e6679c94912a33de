"""Training speed against batch, image side and width: a dense and a convolutional autoencoder.

One of the three varies, the others stay; images are random and grey. Every point is a new model
with its default `compile`: an epoch that compiles and does not count, then epochs for about
`--seconds`. The picture has log axes: a straight line of slope −1 means that twice as much costs
twice the time. `KERAS_BACKEND` chooses the backend.
"""

import argparse
import json
import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from harness import steady_fit
from machine import processor, versions
from report import cost_table

from common.models import AE
from common.plots.style import Figure, dress, sheet
from common.training.backend import BACKEND

SWEEPS = {
    "batch": (16, 64, 256, 1024),
    "side": (14, 28, 56, 112),
    "width": (0.5, 1, 2, 4),
}
LABELS = {
    "batch": "images in a batch",
    "side": "side of the image (pixels)",
    "width": "width (× the preset's layers)",
}
USUAL = {"batch": 256, "side": 28, "width": 1}
# Name → networks, widths, batches in an epoch. A call of a dense model takes 32.
MODELS = {
    "dense": ("dense", (512, 256, 64), 32),
    "convolutional": ("strided", (16, 32), 2),
}


def speed(kind: str, seconds: float, batch: int, side: int, width: float) -> float:
    """Images per second of one point."""
    networks, widths, batches = MODELS[kind]
    shape = (side, side, 1)
    model = AE(shape, networks=networks, widths=[round(width * w) for w in widths], seed=0)
    model.compile()
    images = np.random.default_rng(0).integers(0, 256, (batch * batches, *shape), "uint8")
    fit = partial(model.fit, images, batch_size=batch)
    once = steady_fit(fit, 1)
    epochs = math.ceil(seconds / once)
    return len(images) * epochs / (steady_fit(fit, epochs) if epochs > 1 else once)


def picture(points: Sequence[dict[str, Any]], backend: str) -> Figure:
    """Images per second against each of the three, on log axes.

    Args:
        points: dicts of `model`, `varied` ("batch", "side" or "width"), `value` and
            `images_per_second`.
        backend: for the title.
    """
    figure = sheet(11, 4)
    all_axes = figure.subplots(1, len(SWEEPS), sharey=True)
    for axes, (varied, values) in zip(all_axes, SWEEPS.items(), strict=True):
        for kind in MODELS:
            mine = [p for p in points if p["model"] == kind and p["varied"] == varied]
            xs, ys = ([p[key] for p in mine] for key in ("value", "images_per_second"))
            axes.plot(xs, ys, "o-", label=f"{kind} autoencoder")
        rest = ", ".join(f"{name} {usual}" for name, usual in USUAL.items() if name != varied)
        dress(axes, LABELS[varied], "", rest)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.grid(which="minor", axis="y", alpha=0.12, linewidth=0.5)
    all_axes[0].set_ylabel("images per second")
    lines, names = all_axes[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=len(names), frameon=False)
    figure.suptitle(f"Training speed, {backend}")
    return figure


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="a point (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the points")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them, e.g. cost.png")
    options = parser.parse_args()
    print(f"{processor()}\n{versions()}; {BACKEND}", flush=True)
    points = []
    for varied, values in SWEEPS.items():
        for kind in MODELS:
            for value in values:
                pace = speed(kind, options.seconds, **USUAL | {varied: value})
                points.append({"model": kind, "varied": varied, "value": value})
                points[-1]["images_per_second"] = pace
                print(f"{kind}, {varied} {value:g}: {pace:,.0f} images/s", flush=True)
    print("\n".join(cost_table(points)))
    if options.json:
        facts = {"processor": processor(), "versions": versions(), "backend": BACKEND}
        options.json.write_text(json.dumps(facts | {"points": points}, indent=2) + "\n")
    if options.plot:
        picture(points, BACKEND).keep(options.plot)


if __name__ == "__main__":
    main()
