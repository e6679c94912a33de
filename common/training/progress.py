"""Progress in few lines, for trainings of hundreds of epochs in a notebook."""

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
            print(f"epoch {epoch + 1}/{self.params['epochs']}, {seconds:.0f} s: {figures}")
