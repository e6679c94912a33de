"""Callbacks every training of the zoo uses."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Self

import keras
import numpy as np
from keras import ops

SECONDS_BETWEEN_CHECKS = 1.0


class CosineDecay(keras.callbacks.Callback):
    """Let learning rates fall to zero over the epochs as half a cosine (Loshchilov & Hutter 2017).

    By epoch rather than by step. It is a context too: at its end, however it comes, the first step
    sizes are back, so that a second `fit` starts as the first did.

    Args:
        optimizers: whose learning rates.
        epochs: of the training.
    """

    def __init__(self, optimizers: Sequence[keras.optimizers.Optimizer], epochs: int):
        super().__init__()
        self.optimizers = optimizers
        self.epochs = epochs

    def __enter__(self) -> Self:
        self.starts = [float(optimizer.learning_rate) for optimizer in self.optimizers]
        return self

    def __exit__(self, *failure: object) -> None:
        self._scale(1.0)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the learning rates of this epoch: those of the cosine at its middle."""
        progress = (epoch + 0.5) / self.epochs
        self._scale(0.5 * (1 + math.cos(math.pi * progress)))

    def _scale(self, factor: float) -> None:
        for optimizer, start in zip(self.optimizers, self.starts, strict=True):
            optimizer.learning_rate = start * factor


class StopOnNonFinite(keras.callbacks.Callback):
    """Stop as soon as a loss is NaN or infinite, and go back to the end of the last good epoch.

    An epoch is good if the weights at its end are finite, and once the next one begins with a
    finite loss too: its own losses are from before its last step, and say nothing of what that made
    of the weights.
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Keep the weights that training starts from, and the optimizer's state."""
        self.failure = None
        # `self.model` brings JAX's variables up to date, which a batch's end must not do: Keras
        # calls it in a thread of its own, while the next step takes their values away.
        self.stopped = self.model
        self.good_epoch, self.good_values = self.latest = None, self._values()
        self.checked = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the running means: once an epoch, then not so often that it costs time."""
        unproven = self.good_epoch != self.latest[0]
        if unproven or time.monotonic() - self.checked > SECONDS_BETWEEN_CHECKS:
            self.checked = time.monotonic()
            self._check(logs)
            if self.failure is None:
                self.good_epoch, self.good_values = self.latest

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep this epoch's weights, or go back before any other callback draws with spoilt ones.

        The optimizer's state goes back too: that of the bad steps would spoil the next ones.
        """
        self._check(logs)
        values = self._values()
        if self.failure is None and not all(map(_finite, values)):
            self.failure, self.model.stop_training = "a weight", True
        if self.failure is None:
            self.latest = epoch + 1, values
        else:
            self._go_back()

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.weights, *self.model.optimizer.variables]

    def _values(self) -> list[np.ndarray]:
        return [np.array(ops.convert_to_numpy(v)) for v in self._variables()]

    def _check(self, logs: dict | None) -> None:
        bad = [name for name, value in (logs or {}).items() if not np.isfinite(float(value))]
        if bad and self.failure is None:
            self.failure = ", ".join(bad)
            self.stopped.stop_training = True

    def _go_back(self) -> None:
        for variable, value in zip(self._variables(), self.good_values, strict=True):
            variable.assign(value)

    def raise_if_stopped(self) -> None:
        """Say what happened; to be called when `fit` has returned."""
        if self.failure is None:
            return
        # Once more: what ran after it may have put back weights that seemed the best so far.
        self._go_back()
        where = f"after epoch {self.good_epoch}; the weights are those of the end of that epoch"
        if self.good_epoch is None:
            where = "before an epoch was whole; the weights are those that training began with"
        raise FloatingPointError(
            f"Training stopped: {self.failure} became NaN or infinite {where}. "
            "Try a smaller learning rate, or mixed_bfloat16 or float32 in place of mixed_float16."
        )


def _finite(values: np.ndarray) -> bool:
    return values.dtype.kind != "f" or bool(np.isfinite(values).all())


class EpochImages(keras.callbacks.Callback):
    """Keep what `make()` shows after the first and the last epoch and evenly between them.

    Args:
        make: returns images (n, H, W, C).
        epochs: that the training will take.
        frames: to keep at most.
    """

    def __init__(self, make: Callable[[], np.ndarray], epochs: int, frames: int):
        super().__init__()
        self.make = make
        self.chosen = {round(epoch) for epoch in np.linspace(0, epochs - 1, min(frames, epochs))}
        self.frames: dict[int, np.ndarray] = {}

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Keep this epoch's images, under the epoch's number from 1 on."""
        if epoch in self.chosen:
            self.frames[epoch + 1] = self.make()
