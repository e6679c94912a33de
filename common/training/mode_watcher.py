"""A look, while a GAN trains, at which modes its samples show."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
import pandas as pd

from common.errors import InputError
from common.evaluation.balance import balance
from common.evaluation.collapse import modes_in_words
from common.evaluation.modes import mode_histogram, samples_needed


class ModeWatcher(keras.callbacks.Callback):
    """Count the modes of the model's samples and print in plain words what shows.

    `counts` holds the samples per mode, int (K,), under each epoch's number from 1 on.

    Args:
        classify: images (N, H, W, C) → classes, int (N,).
        class_names: of the K modes.
        samples: to draw for each look, the same noise every time.
        every: epochs from one look to the next; the last epoch is always looked at.

    Raises:
        InputError: too few samples for their modes to mean anything, or no modes or epochs.
    """

    def __init__(
        self,
        classify: Callable[[np.ndarray], np.ndarray],
        class_names: Sequence[str],
        samples: int,
        every: int = 1,
    ):
        super().__init__()
        if len(class_names) < 2 or every < 1:
            raise InputError(
                f"Got {len(class_names)} class names and every={every}; expected at least "
                "2 classes and 1 epoch."
            )
        needed = samples_needed(len(class_names))
        if samples < needed:
            raise InputError(
                f"{samples} samples are too few to watch {len(class_names)} modes; "
                f"give at least {needed}."
            )
        self.classify = classify
        self.class_names = class_names
        self.samples = samples
        self.every = every
        self.counts: dict[int, np.ndarray] = {}
        self.logs: list[dict] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Look, if it is time to, but not at what a training that diverged has left."""
        self.logs.append(dict(logs or {}))
        if not np.isfinite([*self.logs[-1].values()]).all():
            return
        number = epoch + 1
        if number % self.every and number != self.params["epochs"]:
            return
        classes = self.classify(self.model.sample(self.samples, seed=0))
        self.counts[number] = mode_histogram(classes, len(self.class_names))
        print(
            f"After epoch {number}: {modes_in_words(self.counts[number], self.class_names)} "
            f"{balance(pd.DataFrame(self.logs))}",
            flush=True,
        )
