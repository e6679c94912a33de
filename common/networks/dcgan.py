"""The players' networks from the DCGAN paper, for images of many sizes, and from the CIFAR-10 seed.

Generators end in tanh images, discriminators in one score per image, both float32.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from common.networks.conv import conv_decoder, conv_encoder
from common.networks.dense import ImageShape, heads, scaled

GANNetworks = tuple[keras.Model, keras.Model]

SMALLEST = 4


def halved_sizes(image_shape: ImageShape) -> list[tuple[int, int]]:
    """Rows and columns, halved and rounded up while neither falls below 4: 28 → 14 → 7 → 4."""
    rows, columns, _ = image_shape
    sizes = [(rows, columns)]
    while min(rows, columns) > 2 * SMALLEST - 2:
        rows, columns = -(-rows // 2), -(-columns // 2)
        sizes.append((rows, columns))
    return sizes


def paper_generator(image_shape: ImageShape, latent_dim: int, widths: Sequence[int]) -> keras.Model:
    """z → `widths[0]` small maps → 4×4 transposed convolutions that double them → tanh."""
    *larger, (rows, columns) = halved_sizes(image_shape)
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * widths[0], use_bias=False)(z)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for size, filters in zip(larger[::-1], (*widths[1:], image_shape[-1]), strict=True):
        h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
        last = size == larger[0]
        h = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=last)(h)
        h = cropped(h, size)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def cropped(h: Any, size: tuple[int, int]) -> Any:
    """Maps without the rows and columns that rounding up the halved sizes added."""
    surplus = [(0, side - wanted) for side, wanted in zip(h.shape[1:3], size, strict=True)]
    return layers.Cropping2D(surplus)(h) if surplus != [(0, 0)] * 2 else h


def strided_discriminator(
    image_shape: ImageShape,
    widths: Sequence[int],
    kernel: int,
    momentum: float | None = None,
    biased: bool = True,
    dropout: float = 0.0,
) -> keras.Model:
    """Image in [-1, 1] → convolutions that halve it → one score `(N, 1)`, unbounded.

    With a `momentum` BatchNorm follows every convolution but the first. If not `biased`, these
    convolutions have no bias.
    """
    images = h = keras.Input(image_shape)
    for index, filters in enumerate(widths):
        norm = momentum is not None and index > 0
        h = layers.Conv2D(filters, kernel, 2, padding="same", use_bias=biased or not norm)(h)
        if norm:
            h = layers.BatchNormalization(momentum=momentum)(h)
        h = layers.LeakyReLU(0.2)(h)
        if dropout:
            h = layers.Dropout(dropout)(h)
    return keras.Model(images, heads(layers.Flatten()(h), [1]), name="discriminator")


def paper(
    image_shape: ImageShape, latent_dim: int, width: float, momentum: float | None = 0.9
) -> GANNetworks:
    """The DCGAN paper's: 4×4×512 → 256 → 128 → 64 → 64×64 and back (Radford et al. 2016, §3).

    It has half the paper's channels, 4×4 kernels for its 5×5 (they meet every pixel equally often),
    Keras's initial weights for its N(0, 0.02²), and a normal z for its uniform one.
    """
    # As many widths as the sides halve.
    doubled = [min(64 * 2**k, 512) for k in range(len(halved_sizes(image_shape)) - 1)]
    widths = scaled(doubled, width)
    generator = paper_generator(image_shape, latent_dim, widths[::-1])
    return generator, strided_discriminator(image_shape, widths, 4, momentum, biased=False)


def paper_critic(image_shape: ImageShape, latent_dim: int, width: float) -> GANNetworks:
    """`paper` for a critic with clipped weights: no BatchNorm, whose factors would be clipped."""
    return paper(image_shape, latent_dim, width, momentum=None)


def cifar10_pooled(image_shape: ImageShape, latent_dim: int, width: float) -> GANNetworks:
    """The CIFAR-10 seed's DCGAN: three Up blocks against three Down blocks, of 32 filters each."""
    widths = scaled([32] * 3, width)
    decoder = conv_decoder(image_shape, latent_dim, widths, "vector")
    images = layers.Activation("tanh", dtype="float32")(decoder.output)
    encoder = conv_encoder(image_shape, [1], widths, "vector")
    return (
        keras.Model(decoder.input, images, name="generator"),
        keras.Model(encoder.input, encoder.output, name="discriminator"),
    )
