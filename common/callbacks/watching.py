"""What a training draws meanwhile: a film of its samples, and which modes they show."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd

from common.callbacks.progress import say
from common.evaluation.diagnosis import balance, modes_in_words
from common.evaluation.modes import mode_histogram, require_samples

# Before both a generator has hardly begun, and what it lacks says nothing.
EARLY_SHARE = 5  # a fifth of the epochs
EARLY_STEPS = 500


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
        said = modes_in_words(self.counts[number], self.class_names, self._is_early(number))
        if logs:
            said += f" {balance(pd.DataFrame(self.logs), getattr(model, 'metric_kinds', None))}"
        say(f"After epoch {number}: {said}")

    def _is_early(self, epochs: int) -> bool:
        """Whether a collapse says nothing yet, after this number of epochs."""
        steps = EARLY_STEPS
        if (optimizer := getattr(self.model, "optimizer", None)) is not None:
            steps = int(getattr(optimizer, "generator", optimizer).iterations)
        return EARLY_SHARE * epochs < self.params["epochs"] or steps < EARLY_STEPS
