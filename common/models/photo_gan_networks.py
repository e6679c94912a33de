"""The players' networks for small photographs, of 32×32 and 64×64 pixels for example.

All have tanh images or one score per image at the end, float32.
"""

from collections.abc import Sequence

import keras
from keras import layers

from common.models.conv_networks import conv_decoder, conv_encoder
from common.models.networks import ImageShape, heads, scaled

SMALLEST = 4


def halvings(image_shape: ImageShape) -> int:
    """How often both sides halve without falling below 4: 64×64 four times, 28×28 twice."""
    rows, columns, _ = image_shape
    count = 0
    while rows % 2 == columns % 2 == 0 and min(rows, columns) >= 2 * SMALLEST:
        rows, columns, count = rows // 2, columns // 2, count + 1
    return count


def doubling_widths(image_shape: ImageShape, width: float) -> list[int]:
    """64 channels, doubled as often as the sides halve but at most to 512, times `width`."""
    return scaled([min(64 * 2**k, 512) for k in range(halvings(image_shape))], width)


def photo_generator(image_shape: ImageShape, latent_dim: int, widths: Sequence[int]) -> keras.Model:
    """z → `widths[0]` small maps → 4×4 transposed convolutions that double them → tanh."""
    rows, columns = (side // 2 ** len(widths) for side in image_shape[:2])
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * widths[0], use_bias=False)(z)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for filters in widths[1:]:
        h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
        h = layers.Conv2DTranspose(filters, 4, 2, padding="same", use_bias=False)(h)
    h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h))
    h = layers.Conv2DTranspose(image_shape[-1], 4, 2, padding="same")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def photo_discriminator(
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


def photo(image_shape: ImageShape, latent_dim: int, width: float):
    """The DCGAN paper's: 4×4×512 → 256 → 128 → 64 → 64×64 and back (Radford et al. 2016, §3).

    With half its channels, and kernels of 4×4 for its 5×5, which meet every pixel equally often.
    """
    widths = doubling_widths(image_shape, width)
    generator = photo_generator(image_shape, latent_dim, widths[::-1])
    return generator, photo_discriminator(image_shape, widths, normalised=True)


def photo_critic(image_shape: ImageShape, latent_dim: int, width: float):
    """`photo` for a critic whose weights are clipped, and BatchNorm's factors would be too."""
    widths = doubling_widths(image_shape, width)
    generator = photo_generator(image_shape, latent_dim, widths[::-1])
    return generator, photo_discriminator(image_shape, widths, normalised=False)


def cifar10_pooled(image_shape: ImageShape, latent_dim: int, width: float):
    """The CIFAR-10 seed's DCGAN: three Up blocks against three Down blocks, of 32 filters each."""
    widths = scaled([32] * 3, width)
    decoder = conv_decoder(image_shape, latent_dim, widths, "vector")
    images = layers.Activation("tanh", dtype="float32")(decoder.output)
    encoder = conv_encoder(image_shape, [1], widths, "vector")
    return (
        keras.Model(decoder.input, images, name="generator"),
        keras.Model(encoder.input, encoder.output, name="discriminator"),
    )
