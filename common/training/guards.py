"""Callbacks that every training runs with: decaying step sizes, Ctrl-C, and losses that diverge."""

import math
import signal
import threading
import time
from collections.abc import Sequence
from typing import Self

import keras
import numpy as np
from keras import ops

SECONDS_BETWEEN_CHECKS = 1.0


class CosineDecay(keras.callbacks.Callback):
    """Let learning rates fall to zero over the epochs as half a cosine (Loshchilov & Hutter 2017).

    Keras's schedules need the number of steps and block assigned rates; this one goes by epochs.
    Use it as a context: at the end it restores the first rates for the next `fit`.
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
        progress = (epoch + 0.5) / self.epochs
        self._scale(0.5 * (1 + math.cos(math.pi * progress)))

    def _scale(self, factor: float) -> None:
        for optimizer, start in zip(self.optimizers, self.starts, strict=True):
            optimizer.learning_rate = start * factor


class InterruptBetweenSteps(keras.callbacks.Callback):
    """Hold a Ctrl-C back until the step is over, then raise `KeyboardInterrupt`.

    Within a step the weights may be half updated, and on JAX they are gone until it returns. A
    second Ctrl-C is not held back.
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True

    def __enter__(self) -> Self:
        self.asked = False
        # Only the main thread may set a handler, and somebody's own handler stays in place.
        main = threading.current_thread() is threading.main_thread()
        self.held = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.held:
            signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, kind: type | None, *failure: object) -> None:
        if self.held:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is None:
            self._answer()

    def _ask(self, *signal_and_frame: object) -> None:
        self._answer()
        self.asked = True

    def _answer(self, *batch_and_logs: object, **keywords: object) -> None:
        if self.asked:
            raise KeyboardInterrupt

    on_train_batch_end = on_test_batch_end = _answer


class StopOnNonFinite(keras.callbacks.Callback):
    """Stop when a loss or weight becomes NaN or infinite, and restore the last good epoch.

    The weights and optimizer of each epoch's end are kept. They count as good once they are finite
    and the next epoch begins with finite losses: an epoch's own losses do not show what its last
    step did.
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.failure = None
        # On JAX `self.model` updates the variables. A batch's end must not do that: Keras calls it
        # in another thread, while the next step already uses their values.
        self.stopped = self.model
        self.good_epoch, self.good_values = self.latest = None, self._values()
        self.checked = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        # Once at the start of an epoch, then seldom enough to cost no time.
        unproven = self.good_epoch != self.latest[0]
        if unproven or time.monotonic() - self.checked > SECONDS_BETWEEN_CHECKS:
            self.checked = time.monotonic()
            self._check(logs)
            if self.failure is None:
                self.good_epoch, self.good_values = self.latest

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        values = self._values()
        self._check(logs, values)
        if self.failure is None:
            self.latest = epoch + 1, values
        else:
            self._restore()  # Before another callback draws with these weights.

    def _variables(self) -> list[keras.Variable]:
        return [*self.model.weights, *self.model.optimizer.variables]

    def _values(self) -> list[np.ndarray]:
        return [np.array(ops.convert_to_numpy(v)) for v in self._variables()]

    def _check(self, logs: dict | None, weights: Sequence[np.ndarray] = ()) -> None:
        bad = [name for name, value in (logs or {}).items() if not np.isfinite(float(value))]
        if not all(np.isfinite(values).all() for values in weights):
            bad = bad or ["a weight"]
        if bad and self.failure is None:
            self.failure = ", ".join(bad)
            self.stopped.stop_training = True

    def _restore(self) -> None:
        for variable, value in zip(self._variables(), self.good_values, strict=True):
            variable.assign(value)

    def raise_if_stopped(self) -> None:
        """Raise a `FloatingPointError` that says what happened; call it after `fit`."""
        if self.failure is None:
            return
        # Again: a later callback (EarlyStopping) may have restored weights that seemed the best.
        self._restore()
        where = f"after epoch {self.good_epoch}; the weights are those of the end of that epoch"
        if self.good_epoch is None:
            where = "before an epoch was whole; the weights are those that training began with"
        raise FloatingPointError(
            f"Training stopped: {self.failure} became NaN or infinite {where}. "
            "Try a smaller learning rate, or mixed_bfloat16 or float32 in place of mixed_float16."
        )
