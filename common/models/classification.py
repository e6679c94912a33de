"""The loss and the accuracy of a classifier."""

from typing import Any

import keras
from keras import ops

from common.training.inputs import require_labels
from common.training.precision import in_float32


def classification(labels: Any, logits: Any) -> tuple[Any, Any]:
    """The mean cross-entropy in nats and the accuracy of logits `(N, K)` for labels `(N,)`."""
    require_labels(labels, logits.shape[-1])
    labels = ops.reshape(labels, (-1,))
    cross_entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    accuracy = keras.metrics.sparse_categorical_accuracy(labels, logits)
    return ops.mean(cross_entropy), ops.mean(in_float32(accuracy))
