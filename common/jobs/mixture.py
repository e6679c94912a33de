"""Draws from an autoencoder, which knows no prior of its codes: one is fitted to them."""

import numpy as np

from common.evaluation.codes import FITTED_CODES, code_mixture, flat
from common.models import AE


def sample_mixture(model: AE, images: np.ndarray, count: int) -> np.ndarray:
    """`count` images of codes from a Gaussian mixture fitted to the codes of training images."""
    drawn, _ = code_mixture(flat(model.encode(images[:FITTED_CODES]))).sample(count)
    # They come component by component.
    drawn = np.random.default_rng(0).permutation(drawn)
    return model.decode(drawn.reshape(-1, *model.code_shape))
