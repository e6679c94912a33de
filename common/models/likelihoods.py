"""Likelihoods of pixels given a decoded image: training losses, and log p(x|z) in NumPy."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

# A float32 sigmoid saturates at 0 and 1; this bounds what one wrong pixel costs at 16 nats.
SMALLEST_PROBABILITY = 1e-7


def as_vectors(images: Any) -> Any:
    """`(..., H, W, C)` → `(..., H · W · C)`.

    On a CPU XLA sums over one long axis eight times as fast as over three short ones.
    """
    return ops.reshape(images, (*ops.shape(images)[:-3], math.prod(images.shape[-3:])))


class Bernoulli:
    """Independent Bernoulli pixels; grey levels count as probabilities."""

    in_nats = True

    def loss(self, images: Any, logits: Any) -> Any:
        """−log p(x|z) in nats per image: the cross-entropy, stable for any logit.

        Args:
            images: floats in [0, 1], `(..., H, W, C)`; they broadcast against the logits.
            logits: of the pixels' probabilities (Kingma & Welling 2014, appendix C.1).

        Returns:
            float32 `(...)`.
        """
        x, logits = as_vectors(images), as_vectors(logits)
        loss = ops.maximum(logits, 0) - logits * x + ops.log1p(ops.exp(-ops.abs(logits)))
        return ops.sum(loss, axis=-1)

    def natural_parameters(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Terms of log p(x|z) = x · weights + offsets − square · Σx², linear in the pixels x.

        Args:
            means: decoded images, floats in [0, 1], `(N, H, W, C)` with P pixels each.

        Returns:
            weights `(N, P)`, offsets `(N,)` and square.
        """
        p = means.reshape(len(means), -1).clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        log_off = np.log1p(-p)
        return np.log(p) - log_off, log_off.sum(axis=1), 0.0


@dataclass(frozen=True)
class Gaussian:
    """Gaussian pixels about the decoded image, sigmoid(logits).

    Attributes:
        variance: σ² of every pixel.
        in_nats: whether the loss is −log p(x|z); if not, it is the squared error.
    """

    variance: float
    in_nats: bool = True

    def loss(self, images: Any, logits: Any) -> Any:
        """−log p(x|z) or the squared error per image, summed over pixels; see `Bernoulli`."""
        error = as_vectors(images) - ops.sigmoid(as_vectors(logits))
        squared = ops.sum(ops.square(error), axis=-1)
        if not self.in_nats:
            return squared
        pixels = math.prod(images.shape[-3:])
        constant = 0.5 * math.log(2 * math.pi * self.variance) * pixels
        return squared / (2 * self.variance) + constant

    def natural_parameters(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Terms of log p(x|z), as in `Bernoulli`."""
        m = means.reshape(len(means), -1)
        constant = m.shape[1] * np.log(2 * np.pi * self.variance) / 2
        offsets = -np.square(m).sum(axis=1) / (2 * self.variance) - constant
        return m / self.variance, offsets, 1 / (2 * self.variance)


LIKELIHOODS: dict[str, Bernoulli | Gaussian] = {
    "bernoulli": Bernoulli(),
    "gaussian": Gaussian(0.01),
    # At σ² = 1/2 the squared error is −log p(x|z) up to a constant. The seeds' loss: 784 · MSE.
    "squared_error": Gaussian(0.5, in_nats=False),
}
