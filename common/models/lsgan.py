"""LSGAN (Mao et al. 2017): the same networks, a squared loss."""

from typing import Any

import keras
from keras import ops

from common.models.gan import GAN


@keras.saving.register_keras_serializable("zoo")
class LSGAN(GAN):
    """Scores are pulled to 1 for real and 0 for fake; the generator pulls its own to 1 (eq. 9)."""

    score_kind = "score"

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """½ (D(x) − 1)² + ½ D(G(z))²."""
        return 0.5 * ops.square(real - 1.0) + 0.5 * ops.square(fake)

    def generator_loss(self, fake: Any) -> Any:
        """½ (D(G(z)) − 1)²."""
        return 0.5 * ops.square(fake - 1.0)
