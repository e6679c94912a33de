"""How long a training takes, and what the device does meanwhile."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import keras

TRACED = range(3, 13)  # calls of the train function; the first ones compile


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
