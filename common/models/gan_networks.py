"""The players' networks, parametric in the image's shape and in width."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from common.errors import InputError
from common.models.networks import ImageShape, scaled
from common.models.paper_gan_networks import Players, cifar10_pooled, paper, paper_critic
from common.models.smooth_gan_networks import smooth, smooth_critic

MOMENTUM = 0.8  # the seed's, of all moving statistics


def transposed_generator(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int]
) -> keras.Model:
    """z → `widths[0]` maps of a quarter of the size → 5×5 convolutions, doubled twice → tanh."""
    rows, columns = quartered(image_shape)
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * widths[0], use_bias=False)(z)
    h = layers.BatchNormalization(momentum=MOMENTUM)(h)
    h = layers.LeakyReLU(0.2)(h)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for filters, stride in zip(widths[1:], (1, 2), strict=True):
        h = layers.Conv2DTranspose(filters, 5, stride, padding="same", use_bias=False)(h)
        h = layers.BatchNormalization(momentum=MOMENTUM)(h)
        h = layers.LeakyReLU(0.2)(h)
    h = layers.Conv2DTranspose(image_shape[-1], 5, 2, padding="same")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def upsampling_generator(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int]
) -> keras.Model:
    """z → `widths[0]` maps of a quarter of the size → twice (double, 3×3) → 3×3 → tanh, float32."""
    rows, columns = quartered(image_shape)
    z = keras.Input((latent_dim,))
    h = layers.Dense(rows * columns * widths[0], activation="relu")(z)
    h = layers.Reshape((rows, columns, widths[0]))(h)
    for filters in widths[1:]:
        h = layers.UpSampling2D()(h)
        h = layers.Conv2D(filters, 3, padding="same")(h)
        h = layers.BatchNormalization(momentum=MOMENTUM)(h)
        h = layers.Activation("relu")(h)
    # In float32, as PyTorch lacks a gradient of narrow float16 convolutions on some processors.
    h = layers.Conv2D(image_shape[-1], 3, padding="same", dtype="float32")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def quartered(image_shape: ImageShape) -> tuple[int, int]:
    """Rows and columns of the maps that are an image's when they have been doubled twice."""
    rows, columns, _ = image_shape
    if rows % 4 or columns % 4:
        raise InputError(
            f"The seed's generators make no images of {rows}×{columns}, only of multiples of 4: "
            'take the networks "paper" or "paper_critic", or resize the images.'
        )
    return rows // 4, columns // 4


def strided_discriminator(
    image_shape: ImageShape,
    widths: Sequence[int],
    kernel: int,
    dropout: float = 0.0,
    normalised: bool = False,
) -> keras.Model:
    """Image in [-1, 1] → convolutions that halve it → one score `(N, 1)`, float32, unbounded.

    If `normalised`, BatchNorm follows every convolution but the first.
    """
    images = h = keras.Input(image_shape)
    for index, filters in enumerate(widths):
        h = layers.Conv2D(filters, kernel, 2, padding="same")(h)
        if normalised and index > 0:
            h = layers.BatchNormalization(momentum=MOMENTUM)(h)
        h = layers.LeakyReLU(0.2)(h)
        if dropout:
            h = layers.Dropout(dropout)(h)
    scores = layers.Dense(1, dtype="float32")(layers.Flatten()(h))
    return keras.Model(images, scores, name="discriminator")


def mnist(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """The seed's MNIST DCGAN: 7×7×256 → 128 → 64 → image; 64 → 128 with dropout."""
    generator = transposed_generator(image_shape, latent_dim, scaled((256, 128, 64), width))
    return generator, strided_discriminator(image_shape, scaled((64, 128), width), 5, dropout=0.25)


def polynomials(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """The seed's polynomial DCGAN: 10×10×128, doubled twice; 16 → 32 → 64 → 128."""
    generator = upsampling_generator(image_shape, latent_dim, scaled((128, 128, 64), width))
    widths = scaled((16, 32, 64, 128), width)
    return generator, strided_discriminator(image_shape, widths, 3, dropout=0.25, normalised=True)


def polynomials_critic(image_shape: ImageShape, latent_dim: int, width: float) -> Players:
    """The seed's polynomial WGAN: the same generator; 128 → 256 → 512 → 1024."""
    generator = upsampling_generator(image_shape, latent_dim, scaled((128, 128, 64), width))
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


def players(
    networks: str, image_shape: ImageShape, latent_dim: int, width: float, pack: int = 1
) -> Players:
    """Build the generator and the discriminator, of `pack` images at once, of this name.

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


def packed(images: Any, pack: int) -> Any:
    """Images `(N, H, W, C)` → `(N / pack, H, W, pack · C)`: each `pack` of them in a row as one.

    N / pack is rounded up, and the first images fill the last pack.
    """
    shape = ops.shape(images)
    packs = -(-shape[0] // pack)
    images = ops.take(images, ops.arange(packs * pack) % shape[0], axis=0)
    images = ops.reshape(images, (packs, pack, *shape[1:]))
    images = ops.transpose(images, (0, 2, 3, 1, 4))
    return ops.reshape(images, (packs, *shape[1:3], pack * shape[3]))


@contextmanager
def frozen_statistics(network: keras.Model) -> Iterator[None]:
    """Within the block, BatchNorm normalises by the batch but leaves its moving statistics.

    A step of one player runs the other player in training mode, and must not change it.
    """
    norms = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
