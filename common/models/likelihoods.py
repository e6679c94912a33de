"""Likelihoods of pixels given a decoded image: training losses, and log p(x|z) in NumPy."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError

# A float32 sigmoid saturates at 0 and 1; this bounds what one wrong pixel costs at 16 nats.
SMALLEST_PROBABILITY = 1e-7


def as_vectors(images: Any) -> Any:
    """`(..., H, W, C)` → `(..., H · W · C)`.

    On a CPU XLA sums over one long axis eight times as fast as over three short ones.
    """
    return ops.reshape(images, (*ops.shape(images)[:-3], math.prod(images.shape[-3:])))


def squared_error(images: Any, logits: Any) -> Any:
    """Squared error of sigmoid(logits) per image, summed over pixels, float32 `(...)`."""
    error = as_vectors(images) - ops.sigmoid(as_vectors(logits))
    return ops.sum(ops.square(error), axis=-1)


class Likelihood:
    """−log p(x|z) of an image's pixels, or another loss of them.

    Attributes:
        in_nats: whether the loss is −log p(x|z) in nats.
        kind: of the loss as a metric; see `common.metrics.MetricKind`.
    """

    in_nats = True

    @property
    def kind(self) -> str:
        return "nats" if self.in_nats else "loss"

    def loss(self, images: Any, logits: Any) -> Any:
        """The loss of each image.

        Args:
            images: floats in [0, 1], `(..., H, W, C)`; they broadcast against the logits.
            logits: what the decoder gives.

        Returns:
            float32 `(...)`.
        """
        raise NotImplementedError

    def training_loss(self, images: Any, logits: Any) -> Any:
        """The loss of each image of a training batch."""
        return self.loss(images, logits)


class Bernoulli(Likelihood):
    """Independent Bernoulli pixels; grey levels count as probabilities."""

    def loss(self, images: Any, logits: Any) -> Any:
        """The cross-entropy, stable for any logit (Kingma & Welling 2014, appendix C.1)."""
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
class Gaussian(Likelihood):
    """Gaussian pixels about the decoded image, sigmoid(logits).

    Attributes:
        variance: σ² of every pixel.
        in_nats: whether the loss is −log p(x|z); if not, it is the squared error.
    """

    variance: float
    in_nats: bool = True

    @property
    def kind(self) -> str:
        return "nats" if self.in_nats else "squared error"

    def loss(self, images: Any, logits: Any) -> Any:
        """−log p(x|z), or the squared error, of each image."""
        squared = squared_error(images, logits)
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


class OptimalGaussian(keras.layers.Layer, Likelihood):
    """Gaussian pixels of the variance that is best for them all (Rybkin et al. 2021, eq. 6).

    In training that is the mean squared error of the batch, so that its loss is P/2 · log(MSE) for
    P pixels, and a constant. In evaluation it is a moving mean of these, a weight of the model.
    """

    momentum = 0.98
    # Of images that are reproduced to half a grey level.
    least = (0.5 / 255) ** 2

    def __init__(self):
        super().__init__(dtype="float32", name="pixels")
        self.variance = self.add_weight(
            name="variance", initializer=keras.initializers.Constant(0.1), trainable=False
        )
        self.built = True

    def loss(self, images: Any, logits: Any) -> Any:
        """−log p(x|z) of each image."""
        return self._nll(squared_error(images, logits), self.variance, images)

    def training_loss(self, images: Any, logits: Any) -> Any:
        """−log p(x|z) of each image at the batch's own variance."""
        squared = squared_error(images, logits)
        # Its gradient is zero at the optimum.
        mean = ops.stop_gradient(ops.mean(squared)) / math.prod(images.shape[-3:])
        variance = ops.maximum(mean, self.least)
        self.variance.assign(self.momentum * self.variance + (1 - self.momentum) * variance)
        return self._nll(squared, variance, images)

    def natural_parameters(self, means: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """Terms of log p(x|z), as in `Bernoulli`."""
        return Gaussian(float(self.variance)).natural_parameters(means)

    def _nll(self, squared: Any, variance: Any, images: Any) -> Any:
        constant = 0.5 * ops.log(2 * math.pi * variance) * math.prod(images.shape[-3:])
        return squared / (2 * variance) + constant


@dataclass(frozen=True)
class OwnLikelihood(Likelihood):
    """A user's function of images and logits, whose unit is unknown."""

    function: Callable[[Any, Any], Any]
    in_nats = False

    def loss(self, images: Any, logits: Any) -> Any:
        """What the function gives; an `InputError` unless it is one number for each image."""
        loss = self.function(images, logits)
        if len(getattr(loss, "shape", ())) != len(logits.shape) - 3:
            raise InputError(
                f"The likelihood gives the shape {tuple(getattr(loss, 'shape', ()))}; expected one "
                "number for each image: sum over the last three axes."
            )
        return loss


OPTIMAL = "optimal_gaussian"
LIKELIHOODS: dict[str, Likelihood] = {
    "bernoulli": Bernoulli(),
    "gaussian": Gaussian(0.01),
    # At σ² = 1/2 the squared error is −log p(x|z) up to a constant. The seeds' loss: 784 · MSE.
    "squared_error": Gaussian(0.5, in_nats=False),
}


def likelihood_of(given: str | Callable[[Any, Any], Any]) -> Any:
    """The likelihood of a name, or of a user's function.

    Raises:
        InputError: an unknown name, or a function that a file cannot name.
    """
    if not isinstance(given, str) and callable(given):
        name = keras.saving.get_registered_name(given)
        if keras.saving.get_registered_object(name) is not given:
            raise InputError(
                f"The likelihood {name} cannot be written to a file; decorate it with "
                "@keras.saving.register_keras_serializable()."
            )
        return OwnLikelihood(given)
    if given == OPTIMAL:
        return OptimalGaussian()
    if given not in LIKELIHOODS:
        known = [*LIKELIHOODS, OPTIMAL]
        raise InputError(f"Likelihood {given!r} is unknown; choose from {known}, or a function.")
    return LIKELIHOODS[given]
