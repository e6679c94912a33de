"""The players' networks of the DCGAN paper for images of many sizes, and of the CIFAR-10 seed.

All have tanh images or one score per image at the end, float32.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from common.models.conv_networks import conv_decoder, conv_encoder
from common.models.networks import ImageShape, heads, scaled

Players = tuple[keras.Model, keras.Model]

SMALLEST = 4


def halved_sizes(image_shape: ImageShape) -> list[tuple[int, int]]:
    """Rows and columns, halved and rounded up while neither falls below 4: 28 → 14 → 7 → 4."""
    rows, columns, _ = image_shape
    sizes = [(rows, columns)]
    while min(rows, columns) > 2 * SMALLEST - 2:
        rows, columns = -(-rows // 2), -(-columns // 2)
        sizes.append((rows, columns))
    return sizes


def doubling_widths(image_shape: ImageShape, width: float) -> list[int]:
    """64 channels, doubled as often as the sides halve but at most to 512, times `width`."""
    count = len(halved_sizes(image_shape)) - 1
    return scaled([min(64 * 2**k, 512) for k in range(count)], width)


def paper_generator(image_shape: ImageShape, latent_dim: int, widths: Sequence[int]) -> keras.Model:
    """z → `widths[0]` small maps → 4×4 transposed convolutions that double them → tanh."""
    *larger, (rows, columns) = halved_sizes(image_shape)
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * widths[0], use_bias=False)(z)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for size, filters in zip(larger[:0:-1], widths[1:], strict=True):
        h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
        h = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False)(h)
        h = cropped(h, size)
    h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
    h = cropped(layers.Conv2DTranspose(image_shape[-1], 4, 2, padding="same")(h), larger[0])
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def cropped(h: Any, size: tuple[int, int]) -> Any:
    """Maps of rows and columns that were rounded up when they were halved, without the surplus."""
    surplus = [(0, side - wanted) for side, wanted in zip(h.shape[1:3], size, strict=True)]
    return layers.Cropping2D(surplus)(h) if surplus != [(0, 0)] * 2 else h


def paper_discriminator(
    image_shape: ImageShape, widths: Sequence[int], normalised: bool
) -> keras.Model:
    """Image in [-1, 1] → 4×4 convolutions that halve it → one score `(N, 1)`, unbounded.

    If `normalised`, BatchNorm follows every convolution but the first.
    """
    images = h = keras.Input(image_shape)
    for index, filters in enumerate(widths):
        norm = normalised and index > 0
        h = layers.Conv2D(filters, 4, 2, padding="same", use_bias=not norm)(h)
        if norm:
            h = layers.BatchNormalization(momentum=0.9)(h)
        h = layers.LeakyReLU(0.2)(h)
    return keras.Model(images, heads(layers.Flatten()(h), [1]), name="discriminator")


def paper(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """The DCGAN paper's: 4×4×512 → 256 → 128 → 64 → 64×64 and back (Radford et al. 2016, §3).

    With half its channels; kernels of 4×4 for its 5×5, which meet every pixel equally often;
    Keras's initial weights for its N(0, 0.02²), and z from a normal for its uniform distribution.
    """
    widths = doubling_widths(image_shape, width)
    generator = paper_generator(image_shape, latent_dim, widths[::-1])
    return generator, paper_discriminator(image_shape, widths, normalised=True)


def paper_critic(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """`paper` for a critic whose weights are clipped, and BatchNorm's factors would be too."""
    widths = doubling_widths(image_shape, width)
    generator = paper_generator(image_shape, latent_dim, widths[::-1])
    return generator, paper_discriminator(image_shape, widths, normalised=False)


def cifar10_pooled(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """The CIFAR-10 seed's DCGAN: three Up blocks against three Down blocks, of 32 filters each."""
    widths = scaled([32] * 3, width)
    decoder = conv_decoder(image_shape, latent_dim, widths, "vector")
    images = layers.Activation("tanh", dtype="float32")(decoder.output)
    encoder = conv_encoder(image_shape, [1], widths, "vector")
    return (
        keras.Model(decoder.input, images, name="generator"),
        keras.Model(encoder.input, encoder.output, name="discriminator"),
    )
