"""Formulas in NumPy, written apart from the zoo's own."""

import numpy as np


def bernoulli_log_likelihood(images: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """log p(x|z) of Bernoulli pixels, from logits: x·l - log(1 + e^l), summed over the pixels.

    Written so that it neither overflows nor loses small probabilities: softplus as
    max(l, 0) + log1p(e^-|l|). Grey pixels count as the expectation over binary ones.

    Args:
        images: floats in [0, 1], (n, ...).
        logits: (n, ...), or (c, n, ...) for c samples of each image.

    Returns:
        nats, (n,) or (c, n).
    """
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return (images * logits - softplus).sum(axis=tuple(range(1 - images.ndim, 0)))
