"""Pairs of a generator and a discriminator by name, parametric in image shape and width."""

from collections.abc import Sequence

import keras
from keras import layers

from common.errors import InputError
from common.networks.conv import normalised
from common.networks.dcgan import (
    GANNetworks,
    cifar10_pooled,
    paper,
    paper_critic,
    strided_discriminator,
)
from common.networks.dense import ImageShape, scaled
from common.networks.smooth import smooth, smooth_critic

MOMENTUM = 0.8  # of all moving statistics, as in the seed
Widths = Sequence[int]


def transposed_generator(image_shape: ImageShape, latent_dim: int, widths: Widths) -> keras.Model:
    """z → `widths[0]` maps of a quarter of the size → 5×5 convolutions, doubled twice → tanh."""
    rows, columns = quartered(image_shape)
    z = keras.Input((latent_dim,))
    h = normalised(layers.Dense(rows * columns * widths[0], use_bias=False)(z), MOMENTUM)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for filters, stride in zip(widths[1:], (1, 2), strict=True):
        h = layers.Conv2DTranspose(filters, 5, stride, padding="same", use_bias=False)(h)
        h = normalised(h, MOMENTUM)
    h = layers.Conv2DTranspose(image_shape[-1], 5, 2, padding="same")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def upsampling_generator(image_shape: ImageShape, latent_dim: int, width: float) -> keras.Model:
    """z → 128 maps of a quarter of the size → (double, 3×3) to 128 and 64 → 3×3 → tanh, float32."""
    rows, columns = quartered(image_shape)
    first, *widths = scaled((128, 128, 64), width)
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * first, activation="relu")(z)
    h = layers.Reshape((rows, columns, first))(h)
    for filters in widths:
        h = layers.Conv2D(filters, 3, padding="same")(layers.UpSampling2D()(h))
        h = layers.Activation("relu")(layers.BatchNormalization(momentum=MOMENTUM)(h))
    # In float32, as PyTorch lacks a gradient of narrow float16 convolutions on some processors.
    h = layers.Conv2D(image_shape[-1], 3, padding="same", dtype="float32")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def quartered(image_shape: ImageShape) -> tuple[int, int]:
    """A quarter of an image's rows and columns; an `InputError` if it is no whole number."""
    rows, columns, _ = image_shape
    if rows % 4 or columns % 4:
        raise InputError(
            f"The seed's generators make no images of {rows}×{columns}, only of multiples of 4: "
            'take the networks "paper" or "paper_critic", or resize the images.'
        )
    return rows // 4, columns // 4


def mnist(image_shape: ImageShape, latent_dim: int, width: float) -> GANNetworks:
    """The seed's MNIST DCGAN: 7×7×256 → 128 → 64 → image; 64 → 128 with dropout."""
    generator = transposed_generator(image_shape, latent_dim, scaled((256, 128, 64), width))
    return generator, strided_discriminator(image_shape, scaled((64, 128), width), 5, dropout=0.25)


def polynomials(image_shape: ImageShape, latent_dim: int, width: float) -> GANNetworks:
    """The seed's polynomial DCGAN: 10×10×128, doubled twice; 16 → 32 → 64 → 128."""
    generator = upsampling_generator(image_shape, latent_dim, width)
    widths = scaled((16, 32, 64, 128), width)
    return generator, strided_discriminator(image_shape, widths, 3, MOMENTUM, dropout=0.25)


def polynomials_critic(image_shape: ImageShape, latent_dim: int, width: float) -> GANNetworks:
    """The seed's polynomial WGAN: the same generator; 128 → 256 → 512 → 1024."""
    generator = upsampling_generator(image_shape, latent_dim, width)
    return generator, strided_discriminator(image_shape, scaled((128, 256, 512, 1024), width), 3)


NETWORKS = {
    "mnist": mnist,
    "polynomials": polynomials,
    "polynomials_critic": polynomials_critic,
    "smooth": smooth,
    "smooth_critic": smooth_critic,
    "paper": paper,
    "paper_critic": paper_critic,
    "cifar10_pooled": cifar10_pooled,
}


def gan_networks(
    networks: str, image_shape: ImageShape, latent_dim: int, width: float, pack: int = 1
) -> GANNetworks:
    """Build the generator and the discriminator of a name in `NETWORKS`; see `GAN`.

    Raises:
        InputError: an unknown name, or sides that these networks cannot make.
    """
    if networks not in NETWORKS:
        raise InputError(f"Networks {networks!r} are unknown; choose from {[*NETWORKS]}.")
    rows, columns, channels = image_shape
    if min(rows, columns) < 8:
        raise InputError(
            f"No generator makes images of {rows}×{columns}; both sides must be at least 8: pad or "
            "resize the images."
        )
    build = NETWORKS[networks]
    generator, discriminator = build(image_shape, latent_dim, width)
    if pack > 1:
        _, discriminator = build((rows, columns, channels * pack), latent_dim, width)
    return generator, discriminator
