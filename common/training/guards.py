"""What every training is guarded by: signals to stop, and divergence."""

import os
import signal
import socket
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn, Self

import keras
import numpy as np
from keras import ops

# A loss beyond this is finite nonsense: the largest that a working model starts with is near 1e6.
LARGEST_LOSS = 1e12


class StopSignals:
    """Hold SIGINT (Ctrl-C) back until the step is over; with `all_signals` SIGTERM and SIGHUP too.

    Within a step the weights may be half updated, and on JAX they are gone until it returns. A
    second signal is not held back. Use it as a context.
    """

    MESSAGE = b"\nStopping after this step; the same signal again stops at once.\n"

    def __init__(self, all_signals: bool):
        self.asked: int | None = None
        defaults: dict[int, Any] = {signal.SIGINT: signal.default_int_handler}
        if all_signals:
            others = (getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP"))
            defaults |= {number: signal.SIG_DFL for number in others if number is not None}
        # Only the main thread may set a handler, and somebody's own handler stays in place.
        main = threading.current_thread() is threading.main_thread()
        self.defaults = {
            number: handler
            for number, handler in defaults.items()
            if main and signal.getsignal(number) is handler
        }

    def __enter__(self) -> Self:
        if self.defaults:
            # The handler has to wait while a step is compiled, for up to a minute; Python's
            # wake-up socket and a thread of its own do not.
            self.heard, self.wakeup = socket.socketpair()
            self.wakeup.setblocking(False)
            for number in self.defaults:
                signal.signal(number, self._ask)
            self.before = signal.set_wakeup_fd(self.wakeup.fileno(), warn_on_full_buffer=False)
            self.teller = threading.Thread(target=self._tell, daemon=True)
            self.teller.start()
        return self

    def __exit__(self, *failure: object) -> None:
        if self.defaults:
            signal.set_wakeup_fd(self.before)
            self.wakeup.close()
            self.teller.join()
            self.heard.close()
        for number, handler in self.defaults.items():
            signal.signal(number, handler)

    def _tell(self) -> None:
        """Answer the first signal at once, and pass on those that others wait for."""
        told = False
        while number := self.heard.recv(1):
            if number[0] not in self.defaults:
                if self.before != -1:
                    os.write(self.before, number)
            elif not told:
                # Not print: the signal may arrive within one.
                os.write(2, self.MESSAGE)
                told = True

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked is not None:
            self.stop()
        self.asked = number

    def stop(self) -> NoReturn:
        """End as the signal asks: `KeyboardInterrupt`, or `SystemExit` with its exit status."""
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + (self.asked or 0))


class Divergence(keras.callbacks.Callback):
    """Stop at a loss or weight that is NaN, infinite or absurd, and go back to a good epoch.

    The state of each epoch's end is kept. It counts as good once its weights are finite and the
    next epoch begins with finite losses: an epoch's own losses do not show what its last step did.
    """

    good: tuple[int, list[np.ndarray]] | None = None
    latest: tuple[int, list[np.ndarray]] | None = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        # Not as training begins: another callback may restore a backup then.
        if self.latest is None:
            self.good = self.latest = epoch, values_of(state_of(self.model))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.check()
        for name, value in (logs or {}).items():
            if not abs(float(value)) < LARGEST_LOSS:
                raise FloatingPointError(f"{name} became {float(value):.3g}")
        if (path := non_finite_weight(self.model)) is not None:
            raise FloatingPointError(f"the weight {path} became NaN or infinite")
        self.latest = epoch + 1, values_of(state_of(self.model))

    def on_test_begin(self, logs: dict | None = None) -> None:
        self.check()  # A validation counts its own steps.

    def check(self) -> None:
        """Raise a `FloatingPointError` if a step since the epoch began has failed."""
        if failure := self.model.failures.first():
            raise FloatingPointError(f"{failure} became NaN or infinite")
        self.good = self.latest

    def restore(self, model: Any) -> str:
        """Go back to the good epoch, and say which weights those are."""
        epoch, values = self.good or (0, values_of(state_of(model)))
        for variable, value in zip(state_of(model), values, strict=True):
            variable.assign(value)
        return f"those of the end of epoch {epoch}" if epoch else "those that it began with"


def non_finite_weight(model: keras.Model) -> str | None:
    """The path of the first weight that holds NaN or infinity; None if there is none."""
    for weight in model.weights:
        if not np.isfinite(np.asarray(ops.convert_to_numpy(weight), "float32")).all():
            return weight.path
    return None


def state_of(model: Any) -> list[keras.Variable]:
    """All variables that a training changes: weights, seeds, metrics and the optimizer's."""
    return [*model.variables, *model.optimizer.variables, *model.metrics_variables]


def values_of(variables: Sequence[keras.Variable]) -> list[np.ndarray]:
    """Copies of the variables' values."""
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]
