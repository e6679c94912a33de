"""TensorFlow: gradients by a `GradientTape`, many steps in one graph or one XLA program."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from common.training.backend.shared import LossFunction, StatefulStep, unpack
from common.training.batches import ArrayBatches, Chunks

# Every model and network traces functions of its own, which TensorFlow calls retracing.
tf.get_logger().setLevel(logging.ERROR)
# This pass adds three or more tensors in another order each time, and sums differ by a bit.
tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})


class Step(StatefulStep):
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

    def fused(self, step: Callable) -> Callable:
        """Keras's train or test function for `Chunks`, with one call for all steps of a chunk."""

        @tf.function(jit_compile=self.jit_compile, autograph=False)
        def steps(arrays, rows, count):
            def take(k):
                self.failures.begin_step()
                step(*unpack(tuple(tf.gather(array, rows[k]) for array in arrays)))
                return k + 1

            tf.while_loop(lambda k: k < count, take, [0], parallel_iterations=1)
            return self.get_metrics_result()

        return lambda chunks, places: steps(chunks.on_device, *chunks[int(next(places))])


def to_device(arrays: Sequence) -> tuple:
    """Arrays from which `Step.fused` gathers batches."""
    return tuple(tf.constant(array) for array in arrays)


def feed(batches: ArrayBatches | Chunks) -> Any:
    """Batches, or the places of chunks, in the form that Keras's loops take fastest here."""
    if isinstance(batches, Chunks):
        return tf.data.Dataset.range(len(batches))
    signature = tuple(
        tf.TensorSpec((None, *array.shape[1:]), array.dtype) for array in batches.arrays
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: (batches[index] for index in range(len(batches))), output_signature=signature
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(4)
    options = tf.data.Options()
    # The end of every epoch would wait for autotune's thread, which sleeps for up to 5 s.
    options.autotune.enabled = False
    return dataset.with_options(options)


def _on_cpu() -> bool:
    return not tf.config.list_physical_devices("GPU")


def predict_fast(network: keras.Model) -> None:
    """Turn Keras's default XLA off for `network.predict` on a CPU.

    One pass over the data seldom pays for the compilation, and with convolutions never does.
    """
    if _on_cpu():
        network.jit_compile = False


def device_name() -> str:
    """The device that Keras computes on: 'cpu', or the accelerator's name."""
    if not (found := tf.config.list_physical_devices("GPU")):
        return "cpu"
    return tf.config.experimental.get_device_details(found[0]).get("device_name", "gpu")


def keep_compiled(folder: Path) -> None:
    """Nothing: compiled functions cannot be kept here."""


def has_bfloat16() -> bool:
    """Whether the accelerator computes in bfloat16; NVIDIA's do from compute capability 8 on."""
    found = tf.config.list_physical_devices("GPU")[0]
    details = tf.config.experimental.get_device_details(found)
    return details.get("compute_capability", (0, 0)) >= (8, 0)


def traced(folder: Path) -> AbstractContextManager:
    """A block whose operations are written to a folder, for TensorBoard's profiler."""
    return tf.profiler.experimental.Profile(str(folder))


def be_deterministic() -> None:
    """Take the same steps to the last bit on an accelerator too; before its first use."""
    tf.config.experimental.enable_op_determinism()


def strategy_over_devices(model: keras.Model) -> str | None:
    """The `tf.distribute` strategy in whose scope a model is built or compiled; None for none."""
    name = type(model.distribute_strategy).__name__
    return None if name in ("_DefaultDistributionStrategy", "OneDeviceStrategy") else name
