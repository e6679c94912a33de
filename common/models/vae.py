"""The variational autoencoder (Kingma & Welling 2014), with an optional classifier on its code."""

from typing import Any

import keras
from keras import ops

from common.models.autoencoder import AE

EVALUATION_SEED = 0


@keras.saving.register_keras_serializable("zoo")
def reparameterize(inputs: list) -> Any:
    """z = μ + σ·ε for `inputs` = (z_mean, z_log_var, noise) (eq. 4 and section 2.4)."""
    z_mean, z_log_var, noise = inputs
    return z_mean + ops.exp(0.5 * z_log_var) * noise


def kl_divergence(z_mean: Any, z_log_var: Any) -> Any:
    """KL(N(μ, σ²) ‖ N(0, I)) in nats per image, summed over latent dimensions (appendix B)."""
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - 1.0 - z_log_var, axis=-1)


@keras.saving.register_keras_serializable("zoo")
class VAE(AE):
    """Encode an image as a Gaussian over codes, decode a draw from it, and keep it near N(0, I).

    The loss per image is the negative ELBO, `reconstruction_loss + beta · kl_loss`, plus
    `classifier_weight · classifier_loss`; with `beta=1` and a likelihood in nats the first two are
    an upper bound of −log p(x).

    Args:
        image_shape: as in `AE`, and so are the arguments not named here.
        latent_dim: dimensions of z.
        beta: weight of the KL divergence (Higgins et al. 2017).
        likelihood: "bernoulli" by default; see `AE`.
        classifier_weight: of the classifier's cross-entropy (nats per image) in the loss.
        **kwargs: `AE`'s further arguments.
    """

    code_parts = 2

    def __init__(
        self,
        image_shape: Any,
        latent_dim: int = 2,
        *,
        beta: float = 1.0,
        likelihood: str = "bernoulli",
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
        self.beta = beta
        self.sampling = keras.layers.Lambda(reparameterize, dtype="float32", name="sampling")
        # Keras would take a batch out of the first epoch to build what is not built.
        self.sampling.build([(None, self.latent_dim)] * 3)

    @property
    def metric_names(self) -> list[str]:
        """`loss` and the terms it is made of."""
        first, second, *rest = super().metric_names
        return [first, second, "kl_loss", *rest]

    def infer(self, images: Any, training: bool) -> tuple[Any, dict]:
        """A draw of z from q(z|x), and its KL divergence.

        In evaluation the noise is the same at every call, so that a figure can be repeated.
        """
        z_mean, z_log_var = self.encoder(images, training=training)
        seed = self.seed_generator if training else EVALUATION_SEED
        noise = keras.random.normal(ops.shape(z_mean), seed=seed)
        z = self.sampling([z_mean, z_log_var, noise])
        return z, {"kl_loss": ops.mean(kl_divergence(z_mean, z_log_var))}

    def total(self, terms: dict) -> Any:
        """The loss of its terms, each a mean over the batch."""
        return super().total(terms) + self.beta * terms["kl_loss"]

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "beta": self.beta}
