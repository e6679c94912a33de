"""What goes wrong in steps: a value that is not finite, memory that does not suffice."""

from collections.abc import Iterable
from typing import Any

import keras
from keras import ops

# What the backends' errors say or are called.
OUT_OF_MEMORY = (
    "MemoryError",
    "RESOURCE_EXHAUSTED",
    "ResourceExhausted",
    "OutOfMemory",
    "allocate memory",
)


class FirstFailure(keras.metrics.Metric):
    """The step and the names of the first values that are NaN or infinite, since the last reset.

    A running mean would not tell: it stays NaN, and soon all others are NaN too. As a metric it is
    carried and reset with the others on every backend; it shows nothing in the logs.

    Args:
        names: of all values, at most 31.
    """

    def __init__(self, names: Iterable[str]):
        super().__init__(name="failures")
        self.names = [*names]
        self.steps, self.step, self.failed = (
            self.add_variable((), "zeros", "int32", name=name)
            for name in ("steps", "step", "failed")
        )

    def begin_step(self) -> None:
        """Count a step."""
        self.steps.assign_add(1)

    def update_state(self, values: dict[str, Any]) -> None:
        """Look at scalars by their names."""
        failed = ops.zeros((), "int32")
        for name, value in values.items():
            finite = ops.isfinite(ops.cast(value, "float32"))
            failed += ops.cast(ops.where(finite, 0, 2 ** self.names.index(name)), "int32")
        first = ops.logical_and(ops.equal(self.failed.value, 0), failed > 0)
        self.step.assign(ops.where(first, self.steps.value, self.step.value))
        self.failed.assign(ops.where(first, failed, self.failed.value))

    def result(self) -> dict:
        """Nothing for the logs."""
        return {}

    def first(self) -> str | None:
        """What failed first and at which step, counted from 1; None if nothing did."""
        failed = int(ops.convert_to_numpy(self.failed))
        names = [name for k, name in enumerate(self.names) if failed >> k & 1]
        step = int(ops.convert_to_numpy(self.step))
        return f"at step {step} of the epoch {', '.join(names)}" if names else None

    def save_own_variables(self, store: Any) -> None:
        """Nothing: every epoch starts from zero."""

    def load_own_variables(self, store: Any) -> None:
        """Nothing."""


def ran_out_of_memory(error: Exception) -> bool:
    """Whether the device's memory did not suffice for a step."""
    return any(words in f"{type(error).__name__} {error}" for words in OUT_OF_MEMORY)
