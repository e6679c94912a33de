"""Convolutional encoders and decoders of Down and Up blocks, for images of any shape.

Every block halves or doubles the sides. Where the sides cannot be halved that often, the encoder
adds a margin of zeros, split as evenly as possible, and the decoder cuts it off again. In both
builders `widths` are the channels of the encoder's blocks. `code` is "vector" (numbers) or "map" (a
small image of many channels, made by convolutions alone).
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import layers

from common.networks.dense import ImageShape, heads

Margins = tuple[tuple[int, int], tuple[int, int]]


def down(h: Any, filters: int) -> Any:
    """Down block: 3×3 convolution to `filters` channels, BatchNorm, LeakyReLU; half the size."""
    h = layers.Conv2D(filters, 3, padding="same", use_bias=False)(h)
    return layers.MaxPooling2D()(normalised(h))


def up(h: Any, filters: int) -> Any:
    """Up block: 4×4 transposed convolution of stride 2, twice the size; BatchNorm, LeakyReLU."""
    # With an even kernel the same number of weights reaches every pixel.
    h = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False)(h)
    return normalised(h)


def normalised(h: Any, momentum: float = 0.9) -> Any:
    """BatchNorm, then LeakyReLU."""
    return layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=momentum)(h))


def margins(image_shape: ImageShape, halvings: int) -> Margins:
    """Rows (above, below) and columns (left, right) to add before the sides are halved."""
    missing = [-side % 2**halvings for side in image_shape[:2]]
    rows, columns = ((count // 2, count - count // 2) for count in missing)
    return rows, columns


def conv_encoder(
    image_shape: ImageShape,
    outputs: Sequence[int],
    widths: Sequence[int],
    code: str,
    block: Callable[[Any, int], Any] = down,
    hidden: int | None = None,
) -> keras.Model:
    """`(N, H, W, C)` in [0, 1] → one float32 `(N, d)`, or map `(N, h, w, d)`, for each output d.

    Every `block` halves the image; a vector comes from `hidden` units, or from the maps.
    """
    images = keras.Input(image_shape)
    h = layers.ZeroPadding2D(margins(image_shape, len(widths)))(images)
    for filters in widths:
        h = block(h, filters)
    if code == "vector":
        h = layers.Flatten()(h)
        if hidden:
            h = normalised(layers.Dense(hidden, use_bias=False)(h))
    return keras.Model(images, heads(h, outputs), name="encoder")


def smallest_maps(
    image_shape: ImageShape,
    latent_dim: int,
    widths: Sequence[int],
    code: str,
    hidden: int | None = None,
) -> tuple[Any, Any]:
    """A decoder's input, `(N, latent_dim)` or `(N, h, w, latent_dim)`, and the maps it opens to."""
    rows, columns = (-(-side // 2 ** len(widths)) for side in image_shape[:2])
    if code == "vector":
        z = h = keras.Input((latent_dim,))
        if hidden:
            h = normalised(layers.Dense(hidden, use_bias=False)(h))
        h = layers.Dense(rows * columns * widths[-1], use_bias=False)(h)
        h = layers.Reshape((rows, columns, widths[-1]))(h)
    else:
        z = keras.Input((rows, columns, latent_dim))
        h = layers.Conv2D(widths[-1], 3, padding="same", use_bias=False)(z)
    return z, normalised(h)


def conv_decoder(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], code: str
) -> keras.Model:
    """`(N, latent_dim)` or `(N, h, w, latent_dim)` → logits `(N, H, W, C)` float32."""
    z, h = smallest_maps(image_shape, latent_dim, widths, code)
    for filters in (*widths[-2::-1], widths[0]):
        h = up(h, filters)
    h = layers.Conv2D(image_shape[-1], 3, padding="same", dtype="float32")(h)
    logits = layers.Cropping2D(margins(image_shape, len(widths)), dtype="float32")(h)
    return keras.Model(z, logits, name="decoder")
