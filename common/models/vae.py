"""The variational autoencoder (Kingma & Welling 2014), with an optional classifier on its code."""

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from common.images import UnitRange, unit_range
from common.metrics import KNOWN, MetricKind
from common.models.autoencoder import AE
from common.models.base import EVALUATION_SEED
from common.models.likelihoods import Likelihood
from common.training.backend import predict_fast
from common.training.inputs import as_array, check_images, is_array, non_negative
from common.training.precision import in_float32
from common.training.sources import image_blocks


@keras.saving.register_keras_serializable("zoo")
def reparameterize(inputs: list) -> Any:
    """z = μ + σ·ε for `inputs` = (z_mean, z_log_var, noise) (eq. 4 and section 2.4)."""
    z_mean, z_log_var, noise = inputs
    return z_mean + ops.exp(0.5 * z_log_var) * noise


def kl_divergence(z_mean: Any, z_log_var: Any) -> Any:
    """KL(N(μ, σ²) ‖ N(0, I)) in nats per image, summed over latent dimensions (appendix B)."""
    terms = ops.square(z_mean) + ops.exp(z_log_var) - 1.0 - z_log_var
    return 0.5 * ops.sum(terms, axis=tuple(range(1, len(terms.shape))))


@keras.saving.register_keras_serializable("zoo")
class VAE(AE):
    """Encode an image as a Gaussian over codes, decode a draw from it, and keep it near N(0, I).

    The loss per image is the negative ELBO, `reconstruction_loss + beta · kl_loss`, plus
    `classifier_weight · classifier_loss`; with `beta=1` and a likelihood in nats the first two are
    an upper bound of −log p(x).

    Args:
        image_shape, latent_dim, likelihood, classifier_weight: as in `AE`.
        beta: weight of the KL divergence (Higgins et al. 2017).
        **kwargs: `AE`'s further arguments; your own encoder has two outputs of one shape, z_mean
            and z_log_var.
    """

    encoder_outputs = 2
    has_prior = True

    def __init__(
        self,
        image_shape: Any,
        latent_dim: int | None = None,
        *,
        beta: float = 1.0,
        likelihood: str | Callable[[Any, Any], Any] = "bernoulli",
        classifier_weight: float = 20.0,
        **kwargs: Any,
    ):
        super().__init__(
            image_shape,
            latent_dim,
            likelihood=likelihood,
            classifier_weight=classifier_weight,
            **kwargs,
        )
        self.beta = non_negative("beta", beta)
        self.sampling = keras.layers.Lambda(reparameterize, dtype="float32", name="sampling")
        # To build it Keras would take a batch out of the first epoch.
        self.sampling.build([(None, *self.code_shape)] * 3)

    @property
    def metric_kinds(self) -> dict[str, MetricKind]:
        names = ["loss", "reconstruction_loss", "kl_loss"]
        return {name: KNOWN[name] for name in names} | super().metric_kinds

    def call(self, images: Any, training: bool = False) -> Any:
        """Images `(N, H, W, C)` → reconstructions from a draw of z, float32 in [0, 1]."""
        z_mean, z_log_var = self.encoded(unit_range(images), training)
        z = self.draw(z_mean, z_log_var, training)
        return ops.sigmoid(self.decoded(z, training))

    def compute_losses(self, images: Any, labels: Any, training: bool) -> dict:
        images = self.mirrored(images, training)
        z_mean, z_log_var = self.encoded(self.add_noise(images, training), training)
        z = self.draw(z_mean, z_log_var, training)
        logits = self.decoded(z, training)
        reconstruction_loss = self.reconstruction_loss(images, logits, training)
        kl_loss = ops.mean(kl_divergence(z_mean, z_log_var))
        classifier_loss, metrics = self.classifier_loss(z, labels, training)
        return {
            "loss": reconstruction_loss + classifier_loss + self.beta * kl_loss,
            "reconstruction_loss": reconstruction_loss,
            "kl_loss": kl_loss,
            **metrics,
        }

    def draw(self, z_mean: Any, z_log_var: Any, training: bool) -> Any:
        """A draw of z from q(z|x); in evaluation the noise is fixed, so that figures repeat."""
        seed = self.seed_generator if training else EVALUATION_SEED
        noise = keras.random.normal(ops.shape(z_mean), dtype="float32", seed=seed)
        return self.sampling([z_mean, z_log_var, noise])

    def encode(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → z_mean `(N, *code_shape)` float32."""
        return self.posterior(images, batch_size)[0]

    def posterior(self, images: Any, batch_size: int = 512) -> tuple[np.ndarray, np.ndarray]:
        """Images `(N, H, W, C)` → z_mean and z_log_var of q(z|x), `(N, *code_shape)` float32."""
        z_mean, z_log_var = in_float32(self.predict_images(self.encoder, images, batch_size))
        return z_mean, z_log_var

    def log_likelihood(self, images: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """log p(x|z) of every image for codes of its own, in nats if the likelihood is.

        Args:
            images: `(n, H, W, C)`; all `n · c` codes are decoded at once.
            codes: `(c, n, *code_shape)`.

        Returns:
            float32 `(c, n)`.
        """
        codes = np.moveaxis(np.asarray(as_array(codes), "float32"), 0, 1)
        images = unit_range(np.asarray(check_images(images, self.image_shape)))
        return np.asarray(self._code_likelihood.predict_on_batch((images, codes))).T

    def negative_elbo(self, images: Any, draws: int = 4, batch_size: int = 500) -> np.ndarray:
        """The negative ELBO of each image, float32 `(N,)`, in nats if the likelihood is.

        The KL divergence is exact; the reconstruction is the mean over `draws` of z, the same at
        every call. `beta` does not enter.
        """
        rng = np.random.default_rng(EVALUATION_SEED)
        blocks = [images] if is_array(images) else image_blocks(images)
        checked = [check_images(block, self.image_shape) for block in blocks]
        images = UnitRange(checked[0] if len(checked) == 1 else np.concatenate(checked))
        elbo = []
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            z_mean, z_log_var = self.posterior(batch)
            noise = rng.standard_normal((draws, *z_mean.shape), "float32")
            z = z_mean + np.exp(0.5 * z_log_var) * noise
            kl = kl_divergence(*map(ops.convert_to_tensor, (z_mean, z_log_var)))
            elbo.append(self.log_likelihood(batch, z).mean(axis=0) - ops.convert_to_numpy(kl))
        return -np.concatenate(elbo)

    @functools.cached_property
    def _code_likelihood(self) -> "CodeLikelihood":
        network = CodeLikelihood(self.decoder, self.pixels)
        # Thousands of draws pay for XLA's compilation, but it slows convolutions on a CPU.
        if self.convolutional:
            predict_fast(network)
        return network

    def get_config(self) -> dict:
        return {**super().get_config(), "beta": self.beta}


class CodeLikelihood(keras.Model):
    """log p(x|z) of images `(n, H, W, C)` for codes `(n, c, *code_shape)` → `(n, c)`."""

    def __init__(self, decoder: keras.Model, pixels: Likelihood):
        super().__init__(dtype="float32")  # Whatever the policy is by now.
        self.decoder = decoder
        self.pixels = pixels

    def call(self, inputs: tuple) -> Any:
        images, codes = inputs
        count, draws, *code_shape = ops.shape(codes)
        logits = self.decoder(ops.reshape(codes, (count * draws, *code_shape)), training=False)
        logits = ops.reshape(in_float32(logits), (count, draws, *images.shape[1:]))
        return -self.pixels.loss(images[:, None], logits)
