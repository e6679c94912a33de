"""DCGAN (Radford et al. 2016): convolutional networks and the non-saturating loss."""

from typing import Any

import keras
from keras import ops

from common.errors import InputError
from common.models.gan import GAN


@keras.saving.register_keras_serializable("zoo")
class DCGAN(GAN):
    """Cross-entropy on logits; the generator maximises log D(G(z)) (Goodfellow et al. 2014, §3).

    Args:
        image_shape, latent_dim: as in `GAN`.
        label_smoothing: real images count as real to `1 - label_smoothing` only (one-sided,
            Salimans et al. 2016, section 3.4), 0 to below 1.
        **kwargs: `GAN`'s further arguments.
    """

    def __init__(
        self,
        image_shape: Any,
        latent_dim: int = 100,
        *,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ):
        if not 0 <= label_smoothing < 1:
            raise InputError(f"Got label_smoothing={label_smoothing}; expected 0 to below 1.")
        super().__init__(image_shape, latent_dim, **kwargs)
        self.label_smoothing = label_smoothing

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """−log D(x) − log(1 − D(G(z))), in nats."""
        smoothed = ops.softplus(-real) + self.label_smoothing * real
        return smoothed + ops.softplus(fake)

    def generator_loss(self, fake: Any) -> Any:
        """−log D(G(z)), in nats."""
        return ops.softplus(-fake)

    def get_config(self) -> dict:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
