"""Convolutional classifiers, parametric in the image's shape."""

import keras
from keras import layers

from common.errors import InputError
from common.networks.dense import ImageShape, heads, scaled


def pooled(image_shape: ImageShape, num_classes: int, width: float) -> keras.Model:
    """`(N, H, W, C)` → 5×5 and 3×3 convolutions, each pooled, and 3×3 → logits, float32."""
    images = h = keras.Input(image_shape)
    for filters, kernel, halves in zip(
        scaled((24, 64, 64), width), (5, 3, 3), (1, 1, 0), strict=True
    ):
        h = layers.Conv2D(filters, kernel, padding="same", use_bias=False)(h)
        # A quarter of the numbers is left to normalise.
        h = layers.MaxPooling2D()(h) if halves else h
        h = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(h))
    h = layers.Dropout(0.4)(layers.Flatten()(h))
    return keras.Model(images, heads(h, [num_classes]), name="classifier")


def strided(image_shape: ImageShape, num_classes: int, width: float) -> keras.Model:
    """`(N, H, W, C)` → two stages of two 3×3 convolutions, each halving → logits, float32."""
    images = h = keras.Input(image_shape)
    for filters, stride in zip(scaled((32, 32, 64, 64), width), (1, 2, 1, 2), strict=True):
        h = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(h)
        h = layers.Activation("relu")(layers.BatchNormalization(momentum=0.9)(h))
        if stride == 2:
            h = layers.Dropout(0.25)(h)
    h = layers.Dense(*scaled([128], width), activation="relu")(layers.Flatten()(h))
    h = layers.Dropout(0.5)(h)
    return keras.Model(images, heads(h, [num_classes]), name="classifier")


NETWORKS = {"pooled": pooled, "strided": strided}


def classifier_network(
    networks: str, image_shape: ImageShape, num_classes: int, width: float
) -> keras.Model:
    """Build the classifier of a name in `NETWORKS`.

    Raises:
        InputError: an unknown name.
    """
    if networks not in NETWORKS:
        raise InputError(f"Networks {networks!r} are unknown; choose from {[*NETWORKS]}.")
    return NETWORKS[networks](image_shape, num_classes, width)
