"""The one file that names a backend: gradients, the train-step adapter, feeding, fast defaults.

A model states its step once, in `keras.ops`, as `learn(images, labels)` and
`assess(images, labels)`; `StepModel` makes Keras's own `fit` and `evaluate` run it on TensorFlow,
JAX and PyTorch.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from common.training.feeding import ArrayBatches

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    import tensorflow as tf
elif BACKEND == "jax":
    import jax
elif BACKEND == "torch":
    import torch
else:
    raise ImportError(
        f"The Keras backend is {BACKEND!r}; the zoo trains on 'tensorflow', 'jax' or 'torch'. "
        "Set the environment variable KERAS_BACKEND to one of them."
    )

LossFunction = Callable[[], tuple[Any, Any]]


class StatefulStep:
    """TensorFlow and PyTorch: variables are updated in place."""

    def train_step(self, data: Any) -> dict:
        """Run `learn` on one batch and return the running means of the metrics."""
        self.learn(*unpack(data))
        return self.get_metrics_result()

    def test_step(self, data: Any) -> dict:
        """Run `assess` on one batch and return the running means of the metrics."""
        self.assess(*unpack(data))
        return self.get_metrics_result()


class TensorFlowStep(StatefulStep):
    """Gradients by a `GradientTape`."""

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        """See `StepModel.minimize`."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([v.value for v in variables])
            value, aux = loss()
            scaled = optimizer.scale_loss(value)
        optimizer.apply(tape.gradient(scaled, [v.value for v in variables]), variables)
        return aux


class TorchStep(StatefulStep):
    """Gradients by `torch.autograd.grad`."""

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        """See `StepModel.minimize`."""
        value, aux = loss()
        gradients = torch.autograd.grad(
            optimizer.scale_loss(value), [v.value for v in variables], allow_unused=True
        )
        with torch.no_grad():
            optimizer.apply(gradients, variables)
        return aux

    def test_step(self, data: Any) -> dict:
        """Run `assess` on one batch without recording a graph."""
        with torch.no_grad():
            return super().test_step(data)


class JAXStep:
    """Gradients by `jax.value_and_grad`, every variable's value held by a `StatelessScope`."""

    def train_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        """Run `learn` on one batch as a pure function of the trainer's state."""
        return self._pure(self.learn, self._train_groups, state, data)

    def test_step(self, state: tuple, data: Any) -> tuple[dict, tuple]:
        """Run `assess` on one batch as a pure function of the trainer's state."""
        return self._pure(self.assess, self._test_groups, state, data)

    def make_train_function(self, force: bool = False) -> None:
        """Keras's compiled step, after whose failure the model is as it was."""
        known = self.train_function
        super().make_train_function(force)
        if self.train_function is not known:
            self.train_function = giving_back(self.train_function, self._train_groups)

    def make_test_function(self, force: bool = False) -> None:
        """Likewise."""
        known = self.test_function
        super().make_test_function(force)
        if self.test_function is not known:
            self.test_function = giving_back(self.test_function, self._test_groups)

    @property
    def _train_groups(self) -> tuple:
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )

    @property
    def _test_groups(self) -> tuple:
        return self.trainable_variables, self.non_trainable_variables, self.metrics_variables

    def _pure(self, step: Callable, groups: tuple, state: tuple, data: Any) -> tuple[dict, tuple]:
        variables = [v for group in groups for v in group]
        values = [value for group in state for value in group]
        with keras.StatelessScope(list(zip(variables, values, strict=True))) as scope:
            step(*unpack(data))
            logs = self.get_metrics_result()
        new_state = tuple([scope.get_current_value(v) for v in group] for group in groups)
        return logs, new_state

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        """See `StepModel.minimize`."""
        # Scopes do not chain: the inner one, which `jax.grad` traces, must be told every current
        # value, and what it changed (BatchNorm statistics, seeds) must be carried back out.
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
        # `LossScaleOptimizer.apply` branches with `cond`; only its stateless form may do so here.
        values, slots = optimizer.stateless_apply(
            [v.value for v in optimizer.variables], gradients, values
        )
        for v, value in zip(
            [*others, *variables, *optimizer.variables], [*updates, *values, *slots], strict=True
        ):
            v.assign(value)
        return aux


def giving_back(function: Callable, groups: tuple) -> Callable:
    """`function(state, iterator)`, but where it fails the variables get their values back.

    Keras takes the values out of the variables before the first step, and puts back what a step
    returned; a first step that is refused (a batch of another shape) returns nothing.
    """

    def guarded(state: tuple, iterator: Any) -> tuple:
        try:
            return function(state, iterator)
        except Exception:
            for group, values in zip(groups, state, strict=True):
                for variable, value in zip(group, values, strict=True):
                    variable.assign(value)
            raise

    return guarded


_Step = {"tensorflow": TensorFlowStep, "jax": JAXStep, "torch": TorchStep}[BACKEND]


class StepModel(_Step, keras.Model):
    """A `keras.Model` whose step is stated once, for every backend.

    A subclass implements `learn(images, labels)` and `assess(images, labels)`, both of which
    update `self.metrics`, and calls `self.minimize` for each optimizer step.

    `minimize(loss, variables, optimizer)`: `loss()` returns `(scalar, aux)`; one step of
    `optimizer`, which must have been built with exactly `variables`, is taken down the gradient of
    the scalar; returns `aux`, a structure of tensors.
    """


def unpack(data: Any) -> tuple[Any, Any]:
    """Split a batch into `(images, labels)`; the zoo's losses have no sample weights."""
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError(
            "The batches hold three arrays; expected images, or images and labels "
            "(sample weights are not used by these models)."
        )
    return images, labels


def batches(
    arrays: tuple,
    batch_size: int,
    shuffle: bool = False,
    seed: int = 0,
    epoch: int = 0,
    drop_remainder: bool = False,
) -> Any:
    """Batches of `arrays` in the form that `fit`, `evaluate` and `predict` take fastest here.

    Args:
        arrays: array-likes of equal length that take an integer array as index.
        batch_size: images per batch.
        shuffle: draw a new order for every epoch.
        seed: of that order.
        epoch: after which the orders go on.
        drop_remainder: leave out a last batch that would be smaller.
    """
    source = ArrayBatches(arrays, batch_size, shuffle, seed, epoch, drop_remainder)
    if BACKEND != "tensorflow":
        return source

    def epoch_of_batches():
        source.on_epoch_begin()
        for index in range(len(source)):
            yield source[index]

    signature = tuple(tf.TensorSpec((None, *a.shape[1:]), a.dtype) for a in arrays)
    dataset = tf.data.Dataset.from_generator(epoch_of_batches, output_signature=signature)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(source))).prefetch(4)
    options = tf.data.Options()
    # Its thread sleeps up to 5 s, and the end of every epoch would wait for it.
    options.autotune.enabled = False
    return dataset.with_options(options)


def fastest_execution(convolutional: bool) -> dict:
    """`compile`'s `jit_compile` and `steps_per_execution` that are fastest on this device.

    On the CPU, dense networks want XLA and many steps per call; convolutions want oneDNN, so no
    XLA. Only TensorFlow fuses steps. On an accelerator Keras's own choice stands.
    """
    if BACKEND == "tensorflow" and not tf.config.list_physical_devices("GPU"):
        if convolutional:
            return {"jit_compile": False, "steps_per_execution": 1}
        return {"jit_compile": True, "steps_per_execution": 32}
    return {"jit_compile": "auto", "steps_per_execution": 1}


def predict_fast(network: keras.Model) -> None:
    """Let `network.predict` run as is fastest here.

    One pass over the data seldom pays for XLA's compilation on the CPU, and convolutions never do;
    Keras's default is to compile.
    """
    if BACKEND == "tensorflow" and not tf.config.list_physical_devices("GPU"):
        network.jit_compile = False


def device_name() -> str:
    """The device that Keras computes on, in words: 'cpu', or the accelerator's name."""
    if BACKEND == "tensorflow":
        found = tf.config.list_physical_devices("GPU")
        if not found:
            return "cpu"
        return tf.config.experimental.get_device_details(found[0]).get("device_name", "gpu")
    if BACKEND == "jax":
        device = jax.devices()[0]
        return "cpu" if device.platform == "cpu" else device.device_kind
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
