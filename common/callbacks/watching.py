"""What to pass to `fit`: a film of the samples, epoch lines, a clock, a watch over the modes."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from common.evaluation.diagnosis import balance, modes_in_words
from common.evaluation.modes import mode_histogram, require_samples
from common.metrics import with_split

TRACED = range(3, 13)  # calls of the train function; the first ones compile


class Film(keras.callbacks.Callback):
    """Keep what `make()` returns after the first and last epoch and evenly between them.

    `frames` holds the images under each epoch's number, counted from 1.

    Args:
        make: returns images (n, H, W, C).
        epochs: how many the training takes.
        frames: how many to keep at most.
    """

    kept = ("frames",)  # in the backup of a training

    def __init__(self, make: Callable[[], np.ndarray], epochs: int, frames: int):
        super().__init__()
        self.make = make
        self.chosen = {round(epoch) for epoch in np.linspace(0, epochs - 1, min(frames, epochs))}
        self.frames: dict[int, np.ndarray] = {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch in self.chosen:
            self.frames[epoch + 1] = self.make()


class EpochLines(keras.callbacks.Callback):
    """Print the metrics after the first and last epoch and evenly between them.

    Args:
        lines: how many to print at most.
        split: the images that `fit` validates on: "validation" or "test".
    """

    params: dict[str, Any]  # set by Keras

    def __init__(self, lines: int = 20, split: str = "validation"):
        super().__init__()
        self.lines, self.split = lines, split

    def on_train_begin(self, logs: dict | None = None) -> None:
        epochs = self.params["epochs"]
        self.chosen = {round(epoch) for epoch in np.linspace(1, epochs, min(self.lines, epochs))}
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if epoch + 1 in self.chosen:
            seconds = time.monotonic() - self.started
            named = ((with_split(name, self.split), value) for name, value in (logs or {}).items())
            figures = ", ".join(f"{name} {value:.4g}" for name, value in named)
            line = f"epoch {epoch + 1}/{self.params['epochs']}, {seconds:.0f} s: {figures}"
            print(line, flush=True)


class TrainingClock(keras.callbacks.Callback):
    """Count the `seconds` spent in training steps, without validation and other callbacks."""

    kept = ("seconds",)

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seconds = 0.0
        self.started: float | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, *_) -> None:
        if self.started is not None:
            self.seconds += time.perf_counter() - self.started
            self.started = None

    on_test_begin = on_epoch_end


class TimeOfRun(keras.callbacks.Callback):
    """Print once, after a few seconds of steps, about how long the whole training takes.

    Args:
        patience: seconds to look at before it is told.
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True
    params: dict[str, Any]  # set by Keras

    def __init__(self, patience: float = 5.0):
        super().__init__()
        self.patience = patience

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.first: tuple[float, int] | None = None
        self.epoch, self.told = 0, False

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.told or not self.params["steps"]:
            return
        now = time.monotonic()
        done = self.epoch * self.params["steps"] + min(batch + 1, self.params["steps"])
        if self.first is None:  # The first call is compiled, which takes time of its own.
            self.first = now, done
        elif now - self.first[0] > self.patience:
            left = self.params["epochs"] * self.params["steps"] - done
            seconds = left * (now - self.first[0]) / (done - self.first[1])
            self.told = True
            if seconds > 2 * self.patience:
                bar = "\n" if sys.stdout.isatty() else ""  # Keras's, which has no end yet
                print(f"{bar}About {duration(seconds)} to go", flush=True)


class Trace(keras.callbacks.Callback):
    """Write what the device does in some calls of the train function to a folder.

    Args:
        traced: the folder → a block whose operations are written there.
        folder: where to.
    """

    def __init__(self, traced: Callable[[Path], AbstractContextManager], folder: Path):
        super().__init__()
        self.traced, self.folder = traced, folder
        self.calls, self.block = 0, ExitStack()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if self.calls == TRACED[0]:
            self.block.enter_context(self.traced(self.folder))

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.calls += 1
        if self.calls == TRACED[-1]:
            self.block.close()

    def on_train_end(self, logs: dict | None = None) -> None:
        self.block.close()


def duration(seconds: float) -> str:
    """A time in the largest unit that fits: "40 s", "14 min", "2.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


class ModeWatcher(keras.callbacks.Callback):
    """Count the modes of a GAN's samples as it trains, and print what they show in plain words.

    `counts` holds the samples per mode, int (K,), under each epoch's number, counted from 1.

    Args:
        classify: images (N, H, W, C) → classes, int (N,).
        class_names: the K modes' names, K at least 2.
        samples: how many to draw, from the same noise every time; at least `samples_needed`.
        every: epochs from one look to the next, at least 1; the last epoch is always looked at.
    """

    kept = ("counts", "logs")
    params: dict[str, Any]  # set by Keras

    def __init__(
        self,
        classify: Callable[[np.ndarray], np.ndarray],
        class_names: Sequence[str],
        samples: int,
        every: int = 1,
    ):
        super().__init__()
        require_samples(samples, len(class_names))
        self.classify, self.class_names = classify, class_names
        self.samples, self.every = samples, every
        self.counts: dict[int, np.ndarray] = {}
        self.logs: list[dict] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.logs.append(dict(logs or {}))
        # Weights that diverged have nothing to show.
        if not np.isfinite([*self.logs[-1].values()]).all():
            return
        number = epoch + 1
        if number % self.every and number != self.params["epochs"]:
            return
        model: Any = self.model
        classes = self.classify(model.sample(self.samples, seed=0))
        self.counts[number] = mode_histogram(classes, len(self.class_names))
        said = modes_in_words(self.counts[number], self.class_names)
        if logs:
            said += f" {balance(pd.DataFrame(self.logs), getattr(model, 'metric_kinds', None))}"
        print(f"After epoch {number}: {said}", flush=True)
