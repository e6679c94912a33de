"""JAX: gradients by `jax.value_and_grad`, steps as pure functions, many of them in one call."""

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import jax
import keras

from common.training.backend.shared import LossFunction, unpack

# The groups of variables that Keras's trainer carries through the steps.
STATE = tuple(
    f"{group}_variables" for group in ("trainable", "non_trainable", "optimizer", "metrics")
)
LARGEST_CACHE = 100_000_000  # bytes


class Step(keras.Model):
    """Gradients by `jax.value_and_grad`; a `StatelessScope` holds every variable's value."""

    def pass_over(self, state: tuple, batches: Any) -> tuple[dict, tuple]:
        """Leave out the batches of one call of the train function; returns its logs so far."""
        for _ in range(self.steps_per_execution):
            next(batches, None)
        return self.get_metrics_result(), state

    def publish(self, result: tuple[dict, tuple]) -> None:
        """Put the state that a call returns into the variables."""
        self._jax_state = dict(zip(STATE, result[1], strict=True))
        self.jax_state_sync()

    def train_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        return self._logs(state := self._pure(self.training_step, state, data)), state

    def test_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        return self._logs(state := self._pure(self.validation_step, state, data)), state

    def _groups(self, state: tuple) -> list[list[keras.Variable]]:
        """The variables of the trainer's state; in evaluation it has none of an optimizer."""
        names = STATE if len(state) == len(STATE) else [n for n in STATE if "optimizer" not in n]
        # `optimizer_variables` is an attribute of the optimizer.
        return [
            self.optimizer.variables if "optimizer" in name else getattr(self, name)
            for name in names
        ]

    def _scope(self, state: tuple) -> keras.StatelessScope:
        variables = [v for group in self._groups(state) for v in group]
        values = [value for group in state for value in group]
        return keras.StatelessScope(list(zip(variables, values, strict=True)))

    def _pure(self, step: Callable, state: tuple, data: Any) -> tuple:
        """Run the step as a function of the trainer's state; returns the new state."""
        with self._scope(state) as scope:
            self.failures.begin_step()
            step(*unpack(data))
        return tuple([scope.get_current_value(v) for v in group] for group in self._groups(state))

    def _logs(self, state: tuple) -> dict:
        with self._scope(state):
            return self.get_metrics_result()

    def fused(self, step: Callable) -> Callable:
        """Keras's train or test function for `Chunks`, with one call for all steps of a chunk."""

        # An evaluation that is broken off leaves the weights where they were.
        @partial(jax.jit, donate_argnums=0 if step == self.training_step else ())
        def steps(state, arrays, rows, count):
            def take(k, state):
                return self._pure(step, state, tuple(array[rows[k]] for array in arrays))

            state = jax.lax.fori_loop(0, count, take, state)
            return self._logs(state), state

        return lambda chunks, state, items: steps(state, chunks.on_device, *next(items))

    def _purge_model_variables(self, **groups: bool) -> None:
        """Leave the values in the variables; a failing step would lose them otherwise."""

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().evaluate(*args, **kwargs)
        finally:
            # Keras does this for `fit` only; after a failed batch the model keeps its weights.
            self.jax_state_sync()
            self._jax_state = None

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        # Scopes do not chain: the inner one, which `jax.grad` traces, needs every current value,
        # and what changes in it (BatchNorm statistics, seeds) must be carried out again.
        chosen = {id(v) for v in variables}
        others = [v for v in self.variables if id(v) not in chosen]
        constants = [(v, v.value) for v in [*others, *optimizer.variables]]

        def pure_loss(values):
            known = [*constants, *zip(variables, values, strict=True)]
            with keras.StatelessScope(known) as scope:
                value, aux = loss()
                scaled = optimizer.scale_loss(value)
            return scaled, (aux, [scope.get_current_value(v) for v in others])

        values = [v.value for v in variables]
        (_, (aux, updates)), gradients = jax.value_and_grad(pure_loss, has_aux=True)(values)
        self.see_gradients(gradients, optimizer)
        # `LossScaleOptimizer.apply` branches with `cond`; in here only its stateless form may.
        values, slots = optimizer.stateless_apply(
            [v.value for v in optimizer.variables], gradients, values
        )
        for v, value in zip(
            [*others, *variables, *optimizer.variables], [*updates, *values, *slots], strict=True
        ):
            v.assign(value)
        return aux


def to_device(arrays: Sequence) -> tuple:
    """Arrays from which `Step.fused` gathers batches."""
    return tuple(jax.numpy.asarray(array) for array in arrays)


def feed(batches: Any) -> Any:
    """Batches in the form that Keras's loops take fastest here."""
    return batches


def predict_fast(network: keras.Model) -> None:
    """Nothing to do here."""


def device_name() -> str:
    """The device that Keras computes on: 'cpu', or the accelerator's name."""
    return "cpu" if (d := jax.devices()[0]).platform == "cpu" else d.device_kind


def keep_compiled(folder: Path) -> None:
    """Keep compiled functions in a folder, from which later runs take them."""
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_compilation_cache_max_size", LARGEST_CACHE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def has_bfloat16() -> bool:
    """Whether the accelerator computes in bfloat16; NVIDIA's do from compute capability 8 on."""
    capability = str(getattr(jax.devices()[0], "compute_capability", ""))
    # TPUs have none, and AMD's cards a name; both compute in bfloat16.
    return not capability[:1].isdigit() or float(capability) >= 8


def traced(folder: Path) -> AbstractContextManager:
    """A block whose operations are written to a folder, for TensorBoard or Perfetto."""
    return jax.profiler.trace(str(folder))


def be_deterministic() -> None:
    """Take the same steps to the last bit on an accelerator too; before its first use."""
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"


def strategy_over_devices(model: keras.Model) -> None:
    """None: `tf.distribute` is TensorFlow's."""
