"""How far a training is: one bar on a terminal, a line an epoch elsewhere."""

import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from common.metrics import KNOWN, MetricKind, with_split

PATIENCE = 3.0  # seconds without a word
SETTLED = 1.0  # seconds of steps that make an estimate
REDRAW = 0.2  # seconds
BAR = 10  # characters


def say(text: str) -> None:
    """Print a line, in the place of a bar that stands on the terminal; the bar is drawn again."""
    print(f"{_clear()}{text}", flush=True)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Say what a block does, if it takes more than three seconds."""
    timer = threading.Timer(PATIENCE, say, [f"{what} …"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def duration(seconds: float) -> str:
    """A time in the largest unit that fits: "40 s", "14 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def headline(names: list[str], kinds: Mapping[str, MetricKind]) -> list[str]:
    """The two or three metrics to watch: how a GAN's players stand, or loss and accuracy.

    Args:
        names: metrics; those of the validation begin with `val_`.
        kinds: what they mean.
    """
    of = {name: kinds.get(name.removeprefix("val_"), MetricKind("")).kind for name in names}
    players = [n for n in names if of[n] in ("probability", "score", "distance")]
    losses = [n for n in names if n.removeprefix("val_") == "loss"]
    shares = [n for n in names if of[n] == "share"]
    players.sort(key=lambda name: kinds[name.removeprefix("val_")].of, reverse=True)  # real first
    return (players or ([losses[-1], shares[-1]] if losses and shares else losses) or names)[:3]


class Progress(keras.callbacks.Callback):
    """How much of the epochs is done, and how long the rest takes.

    Compilation is not counted: the pace begins with the end of the first call, and once more in
    the second epoch, after the first validation.

    Args:
        split: the images that `fit` validates on: "validation" or "test".
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True
    params: dict[str, Any]  # set by Keras

    def __init__(self, split: str = "validation"):
        super().__init__()
        self.split = split
        # On JAX `self.model` would fetch the state of a step that still runs.
        self.trained: Any = None

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self.trained = model

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.started = time.monotonic()
        self.mark: tuple[float, float] | None = None
        self.epoch = self.begun = 0
        self.done = 0.0  # epochs, with the share of the one that runs
        self.left: float | None = None  # seconds
        self.latest: dict[str, float] = {}  # metrics

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch
        self.done = max(self.done, float(epoch))
        self.begun += 1
        if self.begun == 2:
            self.mark = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        session = getattr(self.trained, "session", None)
        if session is not None and session.calls <= session.skipped:
            return  # taken before the training stopped
        # With fused steps the last call counts more batches than there are.
        if steps := self.params["steps"]:
            self.done = self.epoch + min(batch + 1, steps) / steps
        # The first epoch's last call may be compiled for a smaller batch, and ends late.
        if self.begun > 1 or not steps or batch + 1 < steps:
            self._estimate()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.done = epoch + 1.0
        self.latest = {name: float(value) for name, value in (logs or {}).items()}
        if self.begun > 1:
            self._estimate()

    def _estimate(self) -> None:
        now = time.monotonic()
        if self.mark is None:
            self.mark = now, self.done
        elif now - self.mark[0] > SETTLED and self.done > self.mark[1]:
            pace = (now - self.mark[0]) / (self.done - self.mark[1])
            self.left = (self.params["epochs"] - self.done) * pace

    def figures(self, digits: int) -> str:
        """The metrics that matter, in words, to this number of significant digits."""
        kinds = getattr(self.trained, "metric_kinds", KNOWN)
        return ", ".join(
            f"{_said(name, kinds, self.split)} {self.latest[name]:.{digits}g}"
            for name in headline([*self.latest], kinds)
        )


class EpochLines(Progress):
    """Print the metrics after the first and last epoch and evenly between them.

    In a first epoch of more than a few seconds a line says about how long the training takes.

    Args:
        lines: how many to print at most.
        split: the images that `fit` validates on: "validation" or "test".
    """

    def __init__(self, lines: int = 20, split: str = "validation"):
        super().__init__(split)
        self.lines = lines

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        epochs = self.params["epochs"]
        self.chosen = {round(epoch) for epoch in np.linspace(1, epochs, min(self.lines, epochs))}
        self.told = False

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        looked = self.mark is not None and time.monotonic() - self.mark[0] > PATIENCE
        # The lines of the epochs say it too.
        if looked and self.begun == 1 and self.left is not None and not self.told:
            self.told = True
            print(f"About {duration(self.left)} to go", flush=True)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if epoch + 1 not in self.chosen:
            return
        line = f"epoch {epoch + 1}/{self.params['epochs']}"
        line += f", {duration(time.monotonic() - self.started)}"
        if self.left is not None and self.done < self.params["epochs"]:
            line += f", about {duration(self.left)} left"
        print(f"{line}: {self.figures(4)}", flush=True)


class ProgressBar(Progress):
    """One bar for the whole training on a terminal: epoch, time left, the metrics that matter."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self.drawn = 0.0
        self._draw("preparing the first step")

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        super().on_train_batch_end(batch, logs)
        if time.monotonic() - self.drawn > REDRAW:
            # Not more often: the values wait for the device.
            self.latest |= {name: float(value) for name, value in (logs or {}).items()}
            self._draw(self._time())

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_end(epoch, logs)
        if time.monotonic() - self.drawn > REDRAW:
            self._draw(self._time())

    def on_train_end(self, logs: dict | None = None) -> None:
        self._draw(f"{duration(time.monotonic() - self.started)}")
        print(flush=True)

    def _time(self) -> str:
        return "starting" if self.left is None else f"about {duration(self.left)} left"

    def _draw(self, state: str) -> None:
        epochs = self.params["epochs"]
        full = int(BAR * self.done / epochs)
        bar = ("=" * full + ">" * (full < BAR)).ljust(BAR, ".")
        number = min(int(self.done) + 1, epochs)
        line = ", ".join(
            filter(None, (f"Epoch {number}/{epochs} [{bar}] {state}", self.figures(3)))
        )
        # A longer line would wrap, and could not be drawn over.
        print(_clear() + line[: shutil.get_terminal_size().columns - 1], end="", flush=True)
        self.drawn = time.monotonic()


def _clear() -> str:
    return "\r\x1b[K" if sys.stdout.isatty() else ""


def _said(name: str, kinds: Mapping[str, MetricKind], split: str) -> str:
    kind = kinds.get(name, MetricKind(""))
    if kind.kind in ("probability", "score") and kind.of:
        return f"D({kind.of})"
    return (
        with_split(name, split)
        .replace("val_", "validation_")
        .replace("classifier_acc", "acc")
        .replace("_", " ")
    )
