"""The step of a model that has one loss and one optimizer, and the terms of a classifier."""

from typing import Any

import keras
from keras import ops

from common.models.base import ImageModel
from common.models.inputs import require_labels


class OneLossModel(ImageModel):
    """A model of which a subclass states the loss, and its other metrics, in `terms`."""

    def terms(self, images: Any, labels: Any, training: bool) -> dict:
        """Every metric of one batch of images in [0, 1], the loss to descend as `loss`."""
        raise NotImplementedError

    def learn(self, images: Any, labels: Any) -> None:
        """One step down the gradient of the loss on one batch."""
        images = self.prepare(images)

        def loss():
            terms = self.terms(images, labels, training=True)
            return terms["loss"], terms

        terms = self.minimize(loss, self.trainable_variables, self.optimizer)
        self.track(ops.shape(images)[0], **terms)

    def assess(self, images: Any, labels: Any) -> None:
        """The metrics of one batch."""
        images = self.prepare(images)
        self.track(ops.shape(images)[0], **self.terms(images, labels, training=False))


def classification(labels: Any, logits: Any) -> tuple[Any, Any]:
    """The mean cross-entropy, in nats, and the accuracy of logits `(N, K)` for labels `(N,)`."""
    require_labels(labels, logits.shape[-1])
    labels = ops.reshape(labels, (-1,))
    cross_entropy = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    accuracy = keras.metrics.sparse_categorical_accuracy(labels, logits)
    return ops.mean(cross_entropy), ops.mean(accuracy)
