"""Reconstruction losses: what a decoder's logits say of an image, per image, summed over pixels.

Images are `(..., H, W, C)` and broadcast against the logits.
"""

import math
from typing import Any

from keras import ops

PIXELS = (-3, -2, -1)
# Of the pixels about their mean; at 1/2 the squared error is −log p(x|z) but for a constant.
VARIANCES = {"gaussian": 0.01, "squared_error": 0.5}


def bernoulli(images: Any, logits: Any) -> Any:
    """−log p(x|z) in nats of independent Bernoulli pixels; grey levels count as probabilities.

    Cross-entropy on logits, stable for any logit (Kingma & Welling 2014, appendix C.1).
    """
    loss = ops.maximum(logits, 0) - logits * images + ops.log1p(ops.exp(-ops.abs(logits)))
    return ops.sum(loss, axis=PIXELS)


def gaussian(images: Any, logits: Any) -> Any:
    """−log p(x|z) in nats of Gaussian pixels about sigmoid(logits), standard deviation 0.1."""
    variance = VARIANCES["gaussian"]
    constant = 0.5 * math.log(2 * math.pi * variance)
    squares = ops.square(images - ops.sigmoid(logits))
    return ops.sum(squares / (2 * variance) + constant, axis=PIXELS)


def squared_error(images: Any, logits: Any) -> Any:
    """Squared error summed over pixels, as the seeds have it: 784 · MSE on MNIST; not in nats."""
    return ops.sum(ops.square(images - ops.sigmoid(logits)), axis=PIXELS)


LIKELIHOODS = {"bernoulli": bernoulli, "gaussian": gaussian, "squared_error": squared_error}
