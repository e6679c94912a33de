"""The networks of the zoo, parametric in the image's shape.

Every builder returns a functional `keras.Model` under the current dtype policy (see
`common.training.precision`); what they output is float32, so that losses and final activations are.
"""

from collections.abc import Sequence
from functools import partial
from math import inf, prod

import keras
from keras import layers

from common.errors import InputError

ImageShape = tuple[int, int, int]


def dense_encoder(
    image_shape: ImageShape, outputs: Sequence[int], widths: Sequence[int]
) -> keras.Model:
    """`(N, H, W, C)` in [0, 1] → one `(N, d)` float32 for each `d` in `outputs`."""
    images = keras.Input(image_shape)
    h = layers.Flatten()(images)
    for width in widths:
        h = layers.Dense(width, activation="relu")(h)
    return keras.Model(images, heads(h, outputs), name="encoder")


def dense_decoder(image_shape: ImageShape, latent_dim: int, widths: Sequence[int]) -> keras.Model:
    """`(N, latent_dim)` → logits `(N, H, W, C)` float32; the encoder's widths in reverse."""
    z = h = keras.Input((latent_dim,))
    for width in reversed(widths):
        h = layers.Dense(width, activation="relu")(h)
    h = layers.Dense(prod(image_shape))(h)
    logits = layers.Reshape(image_shape, dtype="float32")(h)
    return keras.Model(z, logits, name="decoder")


def dense_classifier(
    code_shape: tuple[int, ...], num_classes: int, widths: Sequence[int]
) -> keras.Model:
    """`(N, *code_shape)` → class logits `(N, num_classes)` float32."""
    z = keras.Input(code_shape)
    h = layers.Flatten()(z)
    for width in widths:
        h = layers.Dense(width, activation="relu")(h)
    return keras.Model(z, heads(h, [num_classes]), name="classifier")


def heads(h, outputs: Sequence[int]):
    """Linear float32 outputs of the given widths, of maps at each place; one alone comes bare."""
    linear = partial(layers.Conv2D, kernel_size=1) if len(h.shape) == 4 else layers.Dense
    tensors = [linear(width, dtype="float32")(h) for width in outputs]
    return tensors if len(tensors) > 1 else tensors[0]


def scaled(widths: Sequence[int], factor: float) -> list[int]:
    """Numbers of channels or units times a factor, at least 1.

    Raises:
        InputError: a factor that is no number above 0.
    """
    if not 0 < factor < inf:
        raise InputError(f"Got width={factor}; expected a finite number above 0, such as 1.")
    return [max(1, round(width * factor)) for width in widths]


def conv_classifier(image_shape: ImageShape, num_classes: int, width: float) -> keras.Model:
    """`(N, H, W, C)` → two stages of two 3×3 convolutions, each halving → logits, float32."""
    images = h = keras.Input(image_shape)
    for filters, stride in zip(scaled((32, 32, 64, 64), width), (1, 2, 1, 2), strict=True):
        h = layers.Conv2D(filters, 3, stride, padding="same", use_bias=False)(h)
        h = layers.BatchNormalization(momentum=0.9)(h)
        h = layers.Activation("relu")(h)
        if stride == 2:
            h = layers.Dropout(0.25)(h)
    h = layers.Dense(*scaled([128], width), activation="relu")(layers.Flatten()(h))
    h = layers.Dropout(0.5)(h)
    return keras.Model(images, heads(h, [num_classes]), name="classifier")
