"""The players' networks for smooth grey values such as contours; all are dense."""

from collections.abc import Sequence
from math import prod
from typing import Any

import keras
import numpy as np
from keras import layers, ops
from scipy.interpolate import BSpline

from common.networks.conv import normalised
from common.networks.dense import ImageShape, scaled

KNOT_SPACING = 4
FLAT = 0.01


@keras.saving.register_keras_serializable("zoo")
class FullRange(layers.Layer):
    """Shift and stretch each image to [-1, 1] by its own extremes.

    A tanh would bend smooth contours where it saturates; this keeps them, up to contrast. An
    image whose contrast is below `FLAT` is not stretched all the way, as it may be meant flat.
    """

    def call(self, images: Any) -> Any:
        """Images `(N, H, W, C)` of any range."""
        low = ops.min(images, axis=(1, 2, 3), keepdims=True)
        high = ops.max(images, axis=(1, 2, 3), keepdims=True)
        return (images - (high + low) / 2) / ops.maximum((high - low) / 2, FLAT)


class Surface(layers.Layer):
    """Numbers `(N, ..., C)` → grey values of `size` = (height, width), `(N, H, W, C)`."""

    def __init__(self, size: Sequence[int], **kwargs: Any):
        super().__init__(**kwargs)
        self.size = tuple(size)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": list(self.size)}


@keras.saving.register_keras_serializable("zoo")
class Planes(Surface):
    """Two slopes per channel, `(N, 2, C)` → the plane of grey values that rises so, `(N, H, W, C)`.

    The pixels' coordinates go from -1 to 1 and are no weights: a network that has to learn them
    draws lines that are not quite straight (Liu et al. 2018, CoordConv).
    """

    def __init__(self, size: Sequence[int], **kwargs: Any):
        super().__init__(size, **kwargs)
        sides = [np.linspace(-1, 1, side) for side in self.size]
        self.coordinates = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1)

    def call(self, slopes: Any) -> Any:
        """The planes of slopes down the rows and along the columns."""
        grid = ops.cast(self.coordinates, slopes.dtype)
        return ops.einsum("hwk,nkc->nhwc", grid, slopes)


@keras.saving.register_keras_serializable("zoo")
class Spline(Surface):
    """Control points `(N, *points, C)` → a cubic B-spline surface of grey values, `(N, H, W, C)`.

    It has no creases, unlike a bilinear enlargement, and is the same on every backend, unlike a
    bicubic one. There is about one control point for `KNOT_SPACING` pixels in each direction.
    """

    def __init__(self, size: Sequence[int], **kwargs: Any):
        super().__init__(size, **kwargs)
        self.bases = [spline_basis(side) for side in self.size]
        self.points = tuple(basis.shape[1] for basis in self.bases)

    def call(self, points: Any) -> Any:
        """The surfaces of control points."""
        down, along = (ops.cast(basis, points.dtype) for basis in self.bases)
        return ops.einsum("hr,nrwc->nhwc", down, ops.einsum("ws,nrsc->nrwc", along, points))


def spline_basis(side: int) -> np.ndarray:
    """The uniform cubic B-splines, one per column, at the centres of `side` pixels in a row."""
    intervals = -(-side // KNOT_SPACING)
    knots = np.arange(-3, intervals + 4)
    centres = (np.arange(side) + 0.5) / KNOT_SPACING
    return BSpline.design_matrix(centres, knots, 3).toarray()


def smooth_generator(
    image_shape: ImageShape, latent_dim: int, widths: Sequence[int], rank: int
) -> keras.Model:
    """z → dense `widths` → a plane, plus what curves it: `rank` gated numbers → a spline."""
    height, width, channels = image_shape
    z = h = keras.Input((latent_dim,))
    for units in widths:
        h = normalised(layers.Dense(units, use_bias=False)(h))
    slopes = layers.Dense(2 * channels, dtype="float32")(h)
    plane = Planes((height, width), dtype="float32")(layers.Reshape((2, channels))(slopes))
    # Gates that can shut for good: kinds of images differ in which numbers are 0, in a plane all.
    curved = layers.Dense(1, activation="hard_sigmoid", dtype="float32", name="curvature_gate")(h)
    gates = layers.Dense(rank, activation="hard_sigmoid")(h)
    h = layers.Multiply()([layers.Dense(rank)(h), gates])
    spline = Spline((height, width), dtype="float32")
    h = layers.Dense(prod(spline.points) * channels, use_bias=False, dtype="float32")(h)
    h = layers.Multiply(dtype="float32")([h, curved])
    h = spline(layers.Reshape((*spline.points, channels))(h))
    h = layers.Add(dtype="float32")([h, plane])
    return keras.Model(z, FullRange(dtype="float32")(h), name="generator")


def dense_discriminator(
    image_shape: ImageShape, widths: Sequence[int], scale: float = 1.0
) -> keras.Model:
    """Image in [-1, 1] → means of 2×2 pixels → dense `widths` → one score `(N, 1)`, float32."""
    images = keras.Input(image_shape)
    h = layers.Rescaling(scale)(layers.Flatten()(layers.AveragePooling2D(2)(images)))
    for units in widths:
        h = layers.LeakyReLU(0.2)(layers.Dense(units)(h))
    scores = layers.Dense(1, dtype="float32")(h)
    return keras.Model(images, scores, name="discriminator")


def smooth(image_shape: ImageShape, latent_dim: int, width: float):
    """For smooth contours: dense networks on a quarter of the size, 3 layers of 256 against 2."""
    [rank] = scaled([64], width)
    generator = smooth_generator(image_shape, latent_dim, scaled((256, 256), width), rank)
    return generator, dense_discriminator(image_shape, scaled((256, 256, 256), width))


def smooth_critic(image_shape: ImageShape, latent_dim: int, width: float):
    """`smooth` for a critic with clipped weights."""
    generator, _ = smooth(image_shape, latent_dim, width)
    # A clipped bias is small beside a sum of 400 pixels; fainter images give it a say again.
    return generator, dense_discriminator(image_shape, scaled((256, 256, 256), width), scale=0.2)
