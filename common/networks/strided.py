"""Encoders of strided convolutions and sub-pixel decoders, for images of any shape.

They are made for processors. A transposed convolution to a single channel, and BatchNorm at the
image's full size, take most of the time of Down and Up blocks there: these networks have neither.
In both builders `widths` and `code` mean what they mean in `common.networks.conv`.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from common.networks.conv import margins, normalised
from common.networks.dense import ImageShape, heads

# Units between the smallest maps and a vector code.
HIDDEN = 256


def halved(h: Any, filters: int) -> Any:
    """4×4 convolution of stride 2, BatchNorm, LeakyReLU: half the size (Radford et al. 2016)."""
    return normalised(layers.Conv2D(filters, 4, 2, padding="same", use_bias=False)(h))


def sub_pixels(h: Any, dtype: str | None = None) -> Any:
    """Each four channels become 2×2 pixels of one: twice the size (Shi et al. 2016, equation 4)."""
    rows, columns, channels = h.shape[1:]
    h = layers.Reshape((rows, columns, 2, 2, channels // 4), dtype=dtype)(h)
    h = layers.Permute((1, 3, 2, 4, 5), dtype=dtype)(h)
    return layers.Reshape((2 * rows, 2 * columns, channels // 4), dtype=dtype)(h)


def strided_encoder(
    image_shape: ImageShape, outputs: Sequence[int], widths: Sequence[int], code: str
) -> keras.Model:
    """`(N, H, W, C)` in [0, 1] → one float32 `(N, d)`, or map `(N, h, w, d)`, for each output d."""
    images = keras.Input(image_shape)
    h = layers.ZeroPadding2D(margins(image_shape, len(widths)))(images)
    for filters in widths:
        h = halved(h, filters)
    if code == "vector":
        h = normalised(layers.Dense(HIDDEN, use_bias=False)(layers.Flatten()(h)))
    return keras.Model(images, heads(h, outputs), name="encoder")


def sub_pixel_decoder(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], code: str
) -> keras.Model:
    """`(N, latent_dim)` or `(N, h, w, latent_dim)` → logits `(N, H, W, C)` float32."""
    rows, columns = (-(-side // 2 ** len(widths)) for side in image_shape[:2])
    if code == "vector":
        z = keras.Input((latent_dim,))
        h = normalised(layers.Dense(HIDDEN, use_bias=False)(z))
        h = layers.Dense(rows * columns * widths[-1], use_bias=False)(h)
        h = layers.Reshape((rows, columns, widths[-1]))(h)
    else:
        z = keras.Input((rows, columns, latent_dim))
        h = layers.Conv2D(widths[-1], 3, padding="same", use_bias=False)(z)
    h = normalised(h)
    for filters in widths[-2::-1]:
        # Normalised while the maps are small.
        h = layers.Conv2D(4 * filters, 3, padding="same", use_bias=False)(h)
        h = sub_pixels(normalised(h))
    h = layers.Conv2D(4 * image_shape[-1], 3, padding="same", dtype="float32")(h)
    cut = layers.Cropping2D(margins(image_shape, len(widths)), dtype="float32")
    logits = cut(sub_pixels(h, "float32"))
    return keras.Model(z, logits, name="decoder")
