"""Dense networks and the classifier, parametric in the image's shape.

Every builder returns a functional `keras.Model` under the current dtype policy (see
`common.training.precision`). Outputs are float32, so that losses and final activations are too.
"""

from collections.abc import Sequence
from functools import partial
from math import inf, prod
from typing import Any

import keras
from keras import layers

from common.errors import InputError

ImageShape = tuple[int, int, int]


def dense_network(
    shape: tuple[int, ...], outputs: Sequence[int], widths: Sequence[int], name: str
) -> keras.Model:
    """`(N, *shape)` → hidden layers of `widths` units → one `(N, d)` float32 for each output d."""
    x = keras.Input(shape)
    h = layers.Flatten()(x)
    for width in widths:
        h = layers.Dense(width, activation="relu")(h)
    return keras.Model(x, heads(h, outputs), name=name)


def dense_decoder(image_shape: ImageShape, latent_dim: int, widths: Sequence[int]) -> keras.Model:
    """`(N, latent_dim)` → logits `(N, H, W, C)` float32; the encoder's widths in reverse."""
    z = h = keras.Input((latent_dim,))
    for width in reversed(widths):
        h = layers.Dense(width, activation="relu")(h)
    h = layers.Dense(prod(image_shape))(h)
    logits = layers.Reshape(image_shape, dtype="float32")(h)
    return keras.Model(z, logits, name="decoder")


def heads(h: Any, outputs: Sequence[int]) -> Any:
    """Linear float32 outputs of the given widths (1×1 convolutions on maps); a single one bare."""
    linear = partial(layers.Conv2D, kernel_size=1) if len(h.shape) == 4 else layers.Dense
    tensors = [linear(width, dtype="float32")(h) for width in outputs]
    return tensors if len(tensors) > 1 else tensors[0]


def scaled(widths: Sequence[int], factor: float) -> list[int]:
    """Numbers of channels or units times a factor, at least 1.

    Raises:
        InputError: a factor that is no finite number above 0.
    """
    if not 0 < factor < inf:
        raise InputError(f"Got width={factor}; expected a finite number above 0, such as 1.")
    return [max(1, round(width * factor)) for width in widths]
