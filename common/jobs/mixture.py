"""Draws from an autoencoder, which knows no prior of its codes: one is fitted to them."""

import numpy as np

from common.evaluation.blocks import unit_blocks
from common.evaluation.codes import FITTED_CODES, code_mixture, flat
from common.models import AE


def known_codes(model: AE, images: np.ndarray) -> np.ndarray:
    """The codes of the first training images, flat (N, D); few images at a time leave the disk."""
    parts = [model.encode(block) for _, block in unit_blocks(images, FITTED_CODES)]
    return flat(np.concatenate(parts))


def sample_mixture(model: AE, images: np.ndarray, count: int) -> np.ndarray:
    """`count` images of codes from a Gaussian mixture fitted to the codes of training images."""
    drawn, _ = code_mixture(known_codes(model, images)).sample(count)
    # They come component by component.
    drawn = np.random.default_rng(0).permutation(drawn)
    return model.decode(drawn.reshape(-1, *model.code_shape))
