"""How a training goes on: in few lines, and on a clock."""

import time

import keras
import numpy as np


class EpochLines(keras.callbacks.Callback):
    """Print the metrics after the first and the last epoch and evenly between them.

    Args:
        lines: to print at most.
    """

    def __init__(self, lines: int = 20):
        super().__init__()
        self.lines = lines

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Choose the epochs and start the clock."""
        epochs = self.params["epochs"]
        self.chosen = {round(epoch) for epoch in np.linspace(1, epochs, min(self.lines, epochs))}
        self.started = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Print this epoch's line if it is one of the chosen."""
        if epoch + 1 in self.chosen:
            seconds = time.monotonic() - self.started
            figures = ", ".join(f"{name} {value:.4g}" for name, value in (logs or {}).items())
            line = f"epoch {epoch + 1}/{self.params['epochs']}, {seconds:.0f} s: {figures}"
            print(line, flush=True)


class TrainingClock(keras.callbacks.Callback):
    """Count the `seconds` spent in training steps; validation and other callbacks do not count."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Set the clock to 0."""
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Start it."""
        self.started = time.perf_counter()

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Stop it before validation."""
        self._stop()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Stop it where there was no validation."""
        self._stop()

    def _stop(self) -> None:
        if self.started is not None:
            self.seconds += time.perf_counter() - self.started
            self.started = None
