"""A small convolutional image classifier: the zoo's verification net."""

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.images import unit_range
from common.metrics import KNOWN, MetricKind
from common.models.base import ImageModel
from common.models.classification import classification
from common.networks.classifier import classifier_network
from common.training.inputs import as_array, check_images, is_array
from common.training.sources import image_blocks


@keras.saving.register_keras_serializable("zoo")
class ImageClassifier(ImageModel):
    """Class probabilities of grey images, and of each channel of stacked ones.

    `common.evaluation.predictability` and `modes` use them to judge generated images. The loss is
    the cross-entropy in nats per image; in training each batch is shifted by up to `shift` pixels.

    Args:
        image_shape: `(height, width, 1)`, both sides at least 8.
        num_classes: number of classes.
        shift: largest displacement in training, in pixels along each axis.
        networks: "pooled" (the default), or "strided", that of older files.
        width: factor on the layers' channels.
        seed: seed of the weights, the dropout, the shifts and the order of the images.

    Raises:
        InputError: an image shape or another argument that cannot be used.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (28, 28, 1),
        num_classes: int = 10,
        *,
        shift: int = 2,
        networks: str = "pooled",
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
        self.networks, self.width = networks, width
        with self.new_layers():
            self.network = classifier_network(networks, self.image_shape, num_classes, width)
        self.built = True

    @property
    def metric_kinds(self) -> dict[str, MetricKind]:
        return {name: KNOWN[name] for name in ("loss", "accuracy")}

    def call(self, images: Any, training: bool = False) -> Any:
        """Images `(N, H, W, 1)` → class probabilities `(N, num_classes)`."""
        return ops.softmax(self.network(unit_range(images), training=training))

    def compute_losses(self, images: Any, labels: Any, training: bool) -> dict:
        images = self.shifted(images) if training else images
        loss, accuracy = classification(labels, self.network(images, training=training))
        return {"loss": loss, "accuracy": accuracy}

    def shifted(self, images: Any) -> Any:
        """The batch, shifted by a random number of pixels, with black moving in."""
        rows, columns, _ = self.image_shape
        start = keras.random.randint((2,), 0, 2 * self.shift + 1, seed=self.seed_generator)
        margins = ((0, 0), (self.shift,) * 2, (self.shift,) * 2, (0, 0))
        size = (ops.shape(images)[0], rows, columns, 1)
        return ops.slice(ops.pad(images, margins), (0, start[0], start[1], 0), size)

    def classify(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Class probabilities of images.

        Args:
            images: `(N, H, W, C)`, uint8 or float in [0, 1].
            batch_size: channels per batch.

        Returns:
            float32 `(N, num_classes)`; for several channels one row each, `(N, C, num_classes)`.

        Raises:
            InputError: images of another size, or that cannot be used.
        """
        if not is_array(images):
            return np.concatenate(
                [self.classify(part, batch_size) for part in image_blocks(images)]
            )
        single, channels = self._by_channel(images)
        logits = self.predict_images(self.network, single, batch_size)
        probabilities = ops.convert_to_numpy(ops.softmax(logits))
        return probabilities if channels == 1 else probabilities.reshape(len(images), channels, -1)

    def features(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """The means over positions of the last maps, for distances between sets of images.

        Args:
            images: `(N, H, W, C)`, uint8 or float in [0, 1].
            batch_size: channels per batch.

        Returns:
            float32 `(N, C · D)`: the D features of each channel one after the other.

        Raises:
            InputError: images of another size, or that cannot be used.
        """
        maps = [layer.output for layer in self.network.layers if len(layer.output.shape) == 4]
        means = keras.layers.GlobalAveragePooling2D()(maps[-1])
        single, channels = self._by_channel(images)
        found = self.predict_images(keras.Model(self.network.input, means), single, batch_size)
        return ops.convert_to_numpy(found).reshape(len(single) // channels, -1)

    def _by_channel(self, images: Any) -> tuple[np.ndarray, int]:
        """Checked images (N, H, W, C) as (N · C, H, W, 1), and C."""
        images = as_array(images)
        rows, columns, _ = self.image_shape
        channels = images.shape[-1] if np.ndim(images) == 4 else 1
        images = np.asarray(check_images(images, (rows, columns, channels)))
        return np.moveaxis(images, -1, 1).reshape(-1, rows, columns, 1), channels

    def get_config(self) -> dict:
        own = {"shift": self.shift, "networks": self.networks, "width": self.width}
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        # Older files do not name their network.
        return super().from_config({"networks": "strided", **config})


# The name of the class in older files.
keras.saving.get_custom_objects()["zoo>DigitClassifier"] = ImageClassifier
