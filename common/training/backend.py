"""The only file that names a backend: gradients, train steps, feeding, the fastest settings."""

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras

from common.errors import InputError
from common.training.batches import ArrayBatches

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf

    # Every model and network traces functions of its own, which TensorFlow calls retracing.
    tf.get_logger().setLevel(logging.ERROR)
    # This pass adds three or more tensors in another order each time, and sums differ by a bit.
    tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
elif BACKEND == "jax":
    import jax
elif BACKEND == "torch":
    import torch
else:
    raise ImportError(
        f"The Keras backend is {BACKEND!r}; the zoo trains on 'tensorflow', 'jax' or 'torch'. "
        "Set the environment variable KERAS_BACKEND to one of them."
    )

# The groups of variables that Keras's trainer carries through JAX's steps.
STATE = tuple(
    f"{group}_variables" for group in ("trainable", "non_trainable", "optimizer", "metrics")
)
LossFunction = Callable[[], tuple[Any, Any]]


class StatefulStep(keras.Model):
    """TensorFlow and PyTorch: steps update variables in place."""

    def train_step(self, data: Any) -> dict:
        self.failures.begin_step()
        self.training_step(*unpack(data))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict:
        self.failures.begin_step()
        self.validation_step(*unpack(data))
        return self.get_metrics_result()

    def pass_over(self, batches: Any) -> dict:
        """Leave out the batches of one call of the train function; returns its logs so far."""
        return self.get_metrics_result()

    def publish(self, result: dict) -> None:
        """Nothing: the variables hold their values."""


class TensorFlowStep(StatefulStep):
    """Gradients by a `GradientTape`."""

    def pass_over(self, batches: Any) -> dict:
        for _ in range(self.steps_per_execution):
            next(batches, None)
        return super().pass_over(batches)

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            value, aux = loss()
            scaled = optimizer.scale_loss(value)
        gradients = tape.gradient(scaled, [v.value for v in variables])
        self.see_gradients(gradients, optimizer)
        optimizer.apply(gradients, variables)
        return aux


class TorchStep(StatefulStep):
    """Gradients by `torch.autograd.grad`."""

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        value, aux = loss()
        gradients = torch.autograd.grad(
            optimizer.scale_loss(value), [v.value for v in variables], allow_unused=True
        )
        with torch.no_grad():
            self.see_gradients(gradients, optimizer)
            optimizer.apply(gradients, variables)
        return aux

    def test_step(self, data: Any) -> dict:
        with torch.no_grad():
            return super().test_step(data)


class JAXStep(keras.Model):
    """Gradients by `jax.value_and_grad`; a `StatelessScope` holds every variable's value."""

    def pass_over(self, state: tuple, batches: Any) -> tuple[dict, tuple]:
        for _ in range(self.steps_per_execution):
            next(batches, None)
        return self.get_metrics_result(), state

    def publish(self, result: tuple[dict, tuple]) -> None:
        """Put the state that a call returns into the variables."""
        self._jax_state = dict(zip(STATE, result[1], strict=True))
        self.jax_state_sync()

    def train_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        groups = (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )
        return self._pure(self.training_step, groups, state, data)

    def test_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        groups = (self.trainable_variables, self.non_trainable_variables, self.metrics_variables)
        return self._pure(self.validation_step, groups, state, data)

    def _pure(self, step: Callable, groups: tuple, state: tuple, data: Any) -> tuple[dict, tuple]:
        """Run the step as a function of the trainer's state; return the metrics and a new state."""
        variables = [v for group in groups for v in group]
        values = [value for group in state for value in group]
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            self.failures.begin_step()
            step(*unpack(data))
            logs = self.get_metrics_result()
        new_state = tuple([scope.get_current_value(v) for v in group] for group in groups)
        return logs, new_state

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


Step = {"tensorflow": TensorFlowStep, "jax": JAXStep, "torch": TorchStep}[BACKEND]


def unpack(data: Any) -> tuple[Any, Any]:
    """Split a batch into `(images, labels)`; sample weights raise an `InputError`."""
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise InputError(
            "The batches hold three arrays; expected images, or images and labels "
            "(sample weights are not used by these models)."
        )
    return images, labels


def feed(source: ArrayBatches) -> Any:
    """Batches in the form that Keras's loops take fastest here."""
    if BACKEND != "tensorflow":
        return source
    signature = tuple(tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in source.arrays)
    dataset = tf.data.Dataset.from_generator(
        lambda: (source[index] for index in range(len(source))), output_signature=signature
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(source))).prefetch(4)
    options = tf.data.Options()
    # The end of every epoch would wait for autotune's thread, which sleeps for up to 5 s.
    options.autotune.enabled = False
    return dataset.with_options(options)


def _on_tensorflow_cpu() -> bool:
    return BACKEND == "tensorflow" and not tf.config.list_physical_devices("GPU")


def fastest_execution(convolutional: bool) -> dict:
    """The fastest `jit_compile` and `steps_per_execution` for `compile` on this device.

    On a CPU dense networks want XLA and many steps per call; convolutions want oneDNN, so no XLA.
    Only TensorFlow fuses steps. On an accelerator this is Keras's own choice.
    """
    if _on_tensorflow_cpu():
        if convolutional:
            return {"jit_compile": False, "steps_per_execution": 1}
        return {"jit_compile": True, "steps_per_execution": 32}
    return {"jit_compile": "auto", "steps_per_execution": 1}


def predict_fast(network: keras.Model) -> None:
    """Turn Keras's default XLA off for `network.predict` on TensorFlow's CPU.

    One pass over the data seldom pays for the compilation, and with convolutions never does.
    """
    if _on_tensorflow_cpu():
        network.jit_compile = False


def device_name() -> str:
    """The device that Keras computes on: 'cpu', or the accelerator's name."""
    if BACKEND == "tensorflow":
        if not (found := tf.config.list_physical_devices("GPU")):
            return "cpu"
        return tf.config.experimental.get_device_details(found[0]).get("device_name", "gpu")
    if BACKEND == "jax":
        return "cpu" if (d := jax.devices()[0]).platform == "cpu" else d.device_kind
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def be_deterministic() -> None:
    """Take the same steps to the last bit on an accelerator too; before its first use."""
    if BACKEND == "tensorflow":
        tf.config.experimental.enable_op_determinism()
    elif BACKEND == "jax":
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_gpu_deterministic_ops=true"
    else:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)


def strategy_over_devices(model: keras.Model) -> str | None:
    """The `tf.distribute` strategy in whose scope a model is built or compiled; None for none."""
    if BACKEND != "tensorflow":
        return None
    name = type(model.distribute_strategy).__name__
    return None if name in ("_DefaultDistributionStrategy", "OneDeviceStrategy") else name
