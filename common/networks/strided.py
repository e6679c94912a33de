"""Encoders of strided convolutions and sub-pixel decoders, for images of any shape.

They are made for processors. A transposed convolution to a single channel, and BatchNorm at the
image's full size, take most of the time of Down and Up blocks there: these networks have neither.
`widths` and `code` mean what they mean in `common.networks.conv`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import layers

from common.networks.conv import conv_encoder, margins, normalised, smallest_maps
from common.networks.dense import ImageShape

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


strided_encoder = partial(conv_encoder, block=halved, hidden=HIDDEN)


def sub_pixel_decoder(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], code: str
) -> keras.Model:
    """`(N, latent_dim)` or `(N, h, w, latent_dim)` → logits `(N, H, W, C)` float32."""
    z, h = smallest_maps(image_shape, latent_dim, widths, code, HIDDEN)
    for filters in widths[-2::-1]:
        # Normalised while the maps are small.
        h = layers.Conv2D(4 * filters, 3, padding="same", use_bias=False)(h)
        h = sub_pixels(normalised(h))
    h = layers.Conv2D(4 * image_shape[-1], 3, padding="same", dtype="float32")(h)
    cut = layers.Cropping2D(margins(image_shape, len(widths)), dtype="float32")
    logits = cut(sub_pixels(h, "float32"))
    return keras.Model(z, logits, name="decoder")
