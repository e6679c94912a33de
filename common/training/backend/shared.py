"""Steps that update variables in place, as on TensorFlow and PyTorch, and how a batch is read."""

from collections.abc import Callable
from typing import Any

import keras

from common.errors import InputError

LossFunction = Callable[[], tuple[Any, Any]]


class StatefulStep(keras.Model):
    """Steps that update variables in place."""

    def train_step(self, data: Any) -> dict:
        return self._step(self.training_step, data)

    def test_step(self, data: Any) -> dict:
        return self._step(self.validation_step, data)

    def _step(self, step: Callable, data: Any) -> dict:
        self.failures.begin_step()
        step(*unpack(data))
        return self.get_metrics_result()

    def pass_over(self, batches: Any) -> dict:
        """Leave out the batches of one call of the train function; returns its logs so far."""
        return self.get_metrics_result()

    def publish(self, result: dict) -> None:
        """Nothing: the variables hold their values."""


def unpack(data: Any) -> tuple[Any, Any]:
    """Split a batch into `(images, labels)`; sample weights raise an `InputError`."""
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise InputError(
            "The batches hold three arrays; expected images, or images and labels "
            "(sample weights are not used by these models)."
        )
    return images, labels
