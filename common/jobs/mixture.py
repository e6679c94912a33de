"""Draws from an autoencoder, which knows no prior of its codes: one is fitted to them."""

import numpy as np

from common.evaluation.codes import FITTED_CODES, code_mixture, flat
from common.models import AE

AT_ONCE = 2048


def known_codes(model: AE, images: np.ndarray) -> np.ndarray:
    """The codes of the first training images, flat (N, D); few images at a time leave the disk."""
    count = min(len(images), FITTED_CODES)
    starts = range(0, count, AT_ONCE)
    parts = [model.encode(images[start : min(start + AT_ONCE, count)]) for start in starts]
    return flat(np.concatenate(parts))


def sample_mixture(model: AE, images: np.ndarray, count: int) -> np.ndarray:
    """`count` images of codes from a Gaussian mixture fitted to the codes of training images."""
    drawn, _ = code_mixture(known_codes(model, images)).sample(count)
    # They come component by component.
    drawn = np.random.default_rng(0).permutation(drawn)
    return model.decode(drawn.reshape(-1, *model.code_shape))
