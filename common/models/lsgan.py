"""LSGAN (Mao et al. 2017): the same players, a squared loss."""

from typing import Any

import keras
from keras import ops

from common.models.gan import TwoPlayerModel


@keras.saving.register_keras_serializable("zoo")
class LSGAN(TwoPlayerModel):
    """Scores are pulled to 1 for real and 0 for fake; the generator pulls its own to 1 (eq. 9)."""

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """½ (D(x) − 1)² + ½ D(G(z))²."""
        return 0.5 * ops.square(real - 1.0) + 0.5 * ops.square(fake)

    def generator_loss(self, fake: Any) -> Any:
        """½ (D(G(z)) − 1)²."""
        return 0.5 * ops.square(fake - 1.0)

    @property
    def metric_names(self) -> list[str]:
        """Both losses, and the mean scores: no probabilities here."""
        return ["generator_loss", self.loss_name, "score_real", "score_fake"]

    def judge(self, real: Any, fake: Any) -> dict:
        """The scores as they are."""
        return {"score_real": ops.mean(real), "score_fake": ops.mean(fake)}
