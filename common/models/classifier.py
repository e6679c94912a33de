"""The verification net: a small convolutional classifier that says which digit an image shows."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.models.inputs import as_array, check_images, unit_range
from common.models.networks import conv_classifier
from common.models.one_loss import OneLossModel, classification
from common.training.precision import precision


@keras.saving.register_keras_serializable("zoo")
class DigitClassifier(OneLossModel):
    """Class probabilities of grey images, and of each channel of stacked ones.

    Its beliefs are what `common.evaluation.predictability` and `modes` judge generated images by.
    The loss is the cross-entropy in nats per image; in training every image is moved by up to
    `shift` pixels, the same way for a batch.

    Args:
        image_shape: `(height, width, 1)`, both sides at least 8.
        num_classes: classes, 10 by default.
        shift: largest displacement in training, pixels along each axis.
        width: factor on the layers' channels.
        seed: of the dropout, the shifts and the images' order.

    Raises:
        InputError: an image shape or another argument that cannot be used.
    """

    convolutional = True

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        num_classes: int = 10,
        *,
        shift: int = 2,
        width: float = 1.0,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(image_shape, whole_number("num_classes", num_classes, 2), seed, **kwargs)
        rows, columns, channels = self.image_shape
        if channels != 1 or min(rows, columns) < 8:
            raise InputError(
                f"Got image_shape={self.image_shape}; expected one channel and sides of at least "
                "8. Stacked images are classified channel by channel, by a net of one channel."
            )
        self.shift = whole_number("shift", shift, least=0)
        self.width = width
        with precision(self.dtype_policy):
            self.network = conv_classifier(self.image_shape, self.num_classes, width)
        self.built = True

    @property
    def metric_names(self) -> list[str]:
        """The cross-entropy and the share of right answers."""
        return ["loss", "accuracy"]

    def call(self, images: Any, training: bool = False) -> Any:
        """Class probabilities `(N, num_classes)` of images."""
        return ops.softmax(self.network(unit_range(images), training=training))

    def terms(self, images: Any, labels: Any, training: bool) -> dict:
        """Both metrics of one batch, in training of shifted images."""
        images = self.shifted(images) if training else images
        loss, accuracy = classification(labels, self.network(images, training=training))
        return {"loss": loss, "accuracy": accuracy}

    def shifted(self, images: Any) -> Any:
        """The batch, moved by a random number of pixels; what is uncovered is black."""
        rows, columns, _ = self.image_shape
        start = keras.random.randint((2,), 0, 2 * self.shift + 1, seed=self.seed_generator)
        margins = ((0, 0), (self.shift,) * 2, (self.shift,) * 2, (0, 0))
        return ops.slice(
            ops.pad(images, margins),
            (0, start[0], start[1], 0),
            (ops.shape(images)[0], rows, columns, 1),
        )

    def classify(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images → class probabilities float32, `(N, num_classes)`.

        Of images with several channels, `(N, H, W, C)`, each channel is classified on its own:
        `(N, C, num_classes)`.

        Raises:
            InputError: images of another size, or that cannot be used.
        """
        images = as_array(images)
        rows, columns, channels = self.image_shape
        if np.ndim(images) == 4:
            channels = images.shape[-1]
        images = np.asarray(check_images(images, (rows, columns, channels)))
        single = np.moveaxis(images, -1, 1).reshape(-1, rows, columns, 1)
        beliefs = ops.convert_to_numpy(
            ops.softmax(self.run_on_images(self.network, single, batch_size))
        )
        return beliefs if channels == 1 else beliefs.reshape(-1, channels, self.num_classes)

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "shift": self.shift, "width": self.width}
