"""The players' networks, parametric in the image's shape and in width."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from common.errors import InputError
from common.models.networks import ImageShape
from common.models.photo_gan_networks import cifar10_pooled, photo, photo_critic


@keras.saving.register_keras_serializable("zoo")
class FullRange(layers.Layer):
    """Shift and stretch each image to [-1, 1] by its own extremes.

    A tanh would bend smooth contours where it saturates; this keeps them, up to contrast. An
    image whose contrast is below `floor` is not stretched all the way, as it may be meant flat.
    """

    def __init__(self, floor: float = 0.01, **kwargs: Any):
        super().__init__(**kwargs)
        self.floor = floor

    def call(self, images: Any) -> Any:
        """Images `(N, H, W, C)` of any range."""
        low = ops.min(images, axis=(1, 2, 3), keepdims=True)
        high = ops.max(images, axis=(1, 2, 3), keepdims=True)
        return (images - (high + low) / 2) / ops.maximum((high - low) / 2, self.floor)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the images."""
        return input_shape

    def get_config(self) -> dict:
        """The constructor's argument."""
        return {**super().get_config(), "floor": self.floor}


def transposed_generator(
    image_shape: ImageShape,
    latent_dim: int,
    widths: Sequence[int],
    strides: Sequence[int],
    momentum: float,
) -> keras.Model:
    """z → `widths[0]` small maps → 5×5 transposed convolutions → tanh, float32."""
    height, width, channels = image_shape
    scale = 2 ** strides.count(2)
    z = keras.Input((latent_dim,))
    h = layers.Dense(height // scale * (width // scale) * widths[0], use_bias=False)(z)
    h = layers.BatchNormalization(momentum=momentum)(h)
    h = layers.LeakyReLU(0.2)(h)
    h = layers.Reshape((height // scale, width // scale, widths[0]))(h)
    for filters, stride in zip(widths[1:], strides[:-1], strict=True):
        h = layers.Conv2DTranspose(filters, 5, stride, padding="same", use_bias=False)(h)
        h = layers.BatchNormalization(momentum=momentum)(h)
        h = layers.LeakyReLU(0.2)(h)
    h = layers.Conv2DTranspose(channels, 5, strides[-1], padding="same")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def upsampling_generator(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], momentum: float
) -> keras.Model:
    """z → `widths[0]` maps of a quarter of the size → twice (double, 3×3) → 3×3 → tanh, float32."""
    height, width, channels = image_shape
    z = keras.Input((latent_dim,))
    h = layers.Dense(height // 4 * (width // 4) * widths[0], activation="relu")(z)
    h = layers.Reshape((height // 4, width // 4, widths[0]))(h)
    for filters in widths[1:]:
        h = layers.UpSampling2D()(h)
        h = layers.Conv2D(filters, 3, padding="same")(h)
        h = layers.BatchNormalization(momentum=momentum)(h)
        h = layers.Activation("relu")(h)
    # In float32, as PyTorch lacks a gradient of narrow float16 convolutions on some processors.
    h = layers.Conv2D(channels, 3, padding="same", dtype="float32")(h)
    return keras.Model(z, layers.Activation("tanh", dtype="float32")(h), name="generator")


def smooth_generator(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], rank: int, momentum: float
) -> keras.Model:
    """z → dense `widths` → `rank` gated numbers → their combination of maps → 4 times the size.

    The maps are a quarter of the size and one pixel wider all around: bilinear interpolation is
    flat outside the outermost points, and that margin is cut off.
    """
    height, width, channels = image_shape
    z = h = keras.Input((latent_dim,))
    for units in widths:
        h = layers.Dense(units, use_bias=False)(h)
        h = layers.BatchNormalization(momentum=momentum)(h)
        h = layers.LeakyReLU(0.2)(h)
    # A gate that can shut for good: images of several kinds differ in which numbers are 0.
    gates = layers.Dense(rank, activation="hard_sigmoid")(h)
    h = layers.Multiply()([layers.Dense(rank)(h), gates])
    rows, columns = height // 4 + 2, width // 4 + 2
    h = layers.Dense(rows * columns * channels, use_bias=False, dtype="float32")(h)
    h = layers.Reshape((rows, columns, channels))(h)
    h = layers.UpSampling2D(4, interpolation="bilinear", dtype="float32")(h)
    h = layers.Cropping2D(4, dtype="float32")(h)
    return keras.Model(z, FullRange(dtype="float32")(h), name="generator")


def dense_discriminator(
    image_shape: ImageShape, widths: Sequence[int], scale: float = 1.0
) -> keras.Model:
    """Image in [-1, 1] → means of 2×2 pixels → dense `widths` → one score `(N, 1)`, float32."""
    images = keras.Input(image_shape)
    h = layers.Flatten()(layers.AveragePooling2D(2)(images))
    h = layers.Rescaling(scale)(h)
    for units in widths:
        h = layers.LeakyReLU(0.2)(layers.Dense(units)(h))
    scores = layers.Dense(1, dtype="float32")(h)
    return keras.Model(images, scores, name="discriminator")


def strided_discriminator(
    image_shape: ImageShape,
    widths: Sequence[int],
    kernel: int,
    dropout: float = 0.0,
    momentum: float | None = None,
) -> keras.Model:
    """Image in [-1, 1] → convolutions that halve it → one score `(N, 1)`, float32, unbounded.

    BatchNorm of the given momentum stands between the convolutions but not at the first.
    """
    images = h = keras.Input(image_shape)
    for index, filters in enumerate(widths):
        h = layers.Conv2D(filters, kernel, 2, padding="same")(h)
        if momentum is not None and index > 0:
            h = layers.BatchNormalization(momentum=momentum)(h)
        h = layers.LeakyReLU(0.2)(h)
        if dropout:
            h = layers.Dropout(dropout)(h)
    scores = layers.Dense(1, dtype="float32")(layers.Flatten()(h))
    return keras.Model(images, scores, name="discriminator")


def mnist(image_shape: ImageShape, latent_dim: int, width: float):
    """The seed's MNIST DCGAN: 7×7×256 → 128 → 64 → image; 64 → 128 with dropout."""
    generator = transposed_generator(
        image_shape, latent_dim, scaled((256, 128, 64), width), strides=(1, 2, 2), momentum=0.8
    )
    return generator, strided_discriminator(image_shape, scaled((64, 128), width), 5, dropout=0.25)


def polynomials(image_shape: ImageShape, latent_dim: int, width: float):
    """The seed's polynomial DCGAN: 10×10×128, doubled twice; 16 → 32 → 64 → 128."""
    generator = upsampling_generator(image_shape, latent_dim, scaled((128, 128, 64), width), 0.8)
    widths = scaled((16, 32, 64, 128), width)
    return generator, strided_discriminator(image_shape, widths, 3, dropout=0.25, momentum=0.8)


def polynomials_critic(image_shape: ImageShape, latent_dim: int, width: float):
    """The seed's polynomial WGAN: the same generator; 128 → 256 → 512 → 1024."""
    generator = upsampling_generator(image_shape, latent_dim, scaled((128, 128, 64), width), 0.8)
    return generator, strided_discriminator(image_shape, scaled((128, 256, 512, 1024), width), 3)


def smooth(image_shape: ImageShape, latent_dim: int, width: float):
    """For smooth contours: dense networks on a quarter of the size, 3 layers of 256 against 2."""
    generator = smooth_generator(
        image_shape, latent_dim, scaled((256, 256), width), max(1, round(64 * width)), 0.9
    )
    return generator, dense_discriminator(image_shape, scaled((256, 256, 256), width))


def smooth_critic(image_shape: ImageShape, latent_dim: int, width: float):
    """`smooth` for a critic with clipped weights."""
    generator, _ = smooth(image_shape, latent_dim, width)
    # A clipped bias is small beside a sum of 400 pixels; fainter images give it a say again.
    return generator, dense_discriminator(image_shape, scaled((256, 256, 256), width), scale=0.2)


NETWORKS = {
    "mnist": mnist,
    "polynomials": polynomials,
    "polynomials_critic": polynomials_critic,
    "smooth": smooth,
    "smooth_critic": smooth_critic,
    "photo": photo,
    "photo_critic": photo_critic,
    "cifar10_pooled": cifar10_pooled,
}


def players(
    networks: str, image_shape: ImageShape, latent_dim: int, width: float, pack: int = 1
) -> tuple[keras.Model, keras.Model]:
    """Build the generator and the discriminator, of `pack` images at once, of this name.

    Raises:
        InputError: an unknown name, or sides that cannot be halved twice.
    """
    if networks not in NETWORKS:
        raise InputError(f"Networks {networks!r} are unknown; choose from {[*NETWORKS]}.")
    height, across, channels = image_shape
    if height % 4 or across % 4 or min(height, across) < 8:
        raise InputError(
            f"No generator makes images of {height}×{across}; both sides must be multiples of 4 "
            "from 8 on, such as 28, 32, 40 or 64: pad or resize the images."
        )
    build = NETWORKS[networks]
    generator, discriminator = build(image_shape, latent_dim, width)
    if pack > 1:
        _, discriminator = build((height, across, channels * pack), latent_dim, width)
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


def scaled(widths: Sequence[int], factor: float) -> list[int]:
    """Channel counts times a factor, at least 1."""
    return [max(1, round(width * factor)) for width in widths]


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
