"""Ctrl-C between two steps, never within one."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

import keras


class InterruptBetweenSteps(keras.callbacks.Callback):
    """Hold a Ctrl-C back until the step is over, then raise `KeyboardInterrupt`.

    Within a step the weights may be half updated, and under JAX the old ones are given away
    before the new ones are known. A second Ctrl-C is not held back.
    """

    # Without this Keras waits for the device after every batch.
    async_safe = True

    def __enter__(self) -> Self:
        self.asked = False
        # Elsewhere no handler may be set; and somebody's own handler stays in place.
        main = threading.current_thread() is threading.main_thread()
        self.held = main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.held:
            signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.held:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is None:
            self._answer()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def _answer(self) -> None:
        if self.asked:
            raise KeyboardInterrupt

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Stop here if it was asked for during the step."""
        self._answer()

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Likewise in validation."""
        self._answer()
