"""Parts of a GAN's step: packs of images, frozen statistics, the averaged generator."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops


def packed(images: Any, pack: int) -> Any:
    """Images `(N, H, W, C)` → `(N / pack, H, W, pack · C)`: each `pack` of them in a row as one.

    N / pack is rounded up, and the first images fill the last pack (PacGAN, Lin et al. 2018).
    """
    if pack == 1:
        return images
    shape = ops.shape(images)
    packs = -(-shape[0] // pack)
    images = ops.take(images, ops.arange(packs * pack) % shape[0], axis=0)
    images = ops.reshape(images, (packs, pack, *shape[1:]))
    images = ops.transpose(images, (0, 2, 3, 1, 4))
    return ops.reshape(images, (packs, *shape[1:3], pack * shape[3]))


@contextmanager
def frozen_statistics(network: keras.Model) -> Iterator[None]:
    """Within the block, BatchNorm normalises by the batch but keeps its moving statistics.

    A step of one player runs the other player in training mode and must not change it.
    """
    layers = network._flatten_layers()
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def update_average(average: keras.Model, network: keras.Model, momentum: float, step: Any) -> None:
    """Move all values of `average` towards those of `network`, faster in the first steps.

    Unlike Keras's own average this includes BatchNorm's statistics.
    """
    step = ops.cast(step, "float32")
    momentum = ops.minimum(momentum, (1.0 + step) / (10.0 + step))
    for mean, value in zip(average.variables, network.variables, strict=True):
        if keras.backend.is_float_dtype(mean.dtype):  # not the state of a seed
            share = ops.cast(momentum, mean.dtype)
            mean.assign(share * mean + (1.0 - share) * value)
