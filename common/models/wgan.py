"""WGAN with weight clipping (Arjovsky et al. 2017)."""

import math
from typing import Any

import keras
from keras import ops

from common.errors import InputError, whole_number
from common.models.gan import TwoPlayerModel
from common.models.gan_networks import frozen_statistics


@keras.saving.register_keras_serializable("zoo")
class Clip(keras.constraints.Constraint):
    """Keep every number of a weight within ±`value`."""

    def __init__(self, value: float):
        self.value = value

    def __call__(self, weight: Any) -> Any:
        """The weight, clipped."""
        return ops.clip(weight, -self.value, self.value)

    def get_config(self) -> dict:
        """The constructor's argument."""
        return {"value": self.value}


@keras.saving.register_keras_serializable("zoo")
class WGAN(TwoPlayerModel):
    """The critic estimates an earth mover's distance, the generator descends it (algorithm 1).

    Of every batch that `fit` takes, `n_critic · batch_size` images, each critic step sees its own
    share; then the generator takes one step.

    Args:
        n_critic: critic steps per generator step, at least 1. Batches that come ready, of
            `tf.data` say, must hold n_critic times as many images as a critic step is to see.
        clip_value: bound of every trainable weight of the critic, above 0 and finite.
        **kwargs: `TwoPlayerModel`'s. By default the `networks` are "paper_critic", the DCGAN
            paper's without BatchNorm in the critic; contours and other smooth grey values take
            "smooth_critic".
    """

    learning_rates = (2e-4, 2e-4)
    loss_name = "critic_loss"
    default_networks = "paper_critic"

    def __init__(
        self,
        image_shape: Any,
        latent_dim: int = 100,
        *,
        n_critic: int = 5,
        clip_value: float = 0.01,
        **kwargs: Any,
    ):
        if not 0 < clip_value < math.inf:
            raise InputError(f"Got clip_value={clip_value}; expected a number above 0, e.g. 0.01.")
        super().__init__(image_shape, latent_dim, **kwargs)
        self.n_critic = whole_number("n_critic", n_critic)
        self.clip_value = clip_value
        # The optimizer applies a variable's constraint after each update; BatchNorm's moving
        # statistics are no trainable weights and stay as they are.
        for weight in self.critic.trainable_variables:
            weight.constraint = Clip(clip_value)
            weight.assign(weight.constraint(weight))

    @property
    def critic(self) -> keras.Model:
        """The discriminator under its own name."""
        return self.discriminator

    @property
    def metric_names(self) -> list[str]:
        """Both losses, and the critic's estimate of the distance up to a constant factor."""
        return ["generator_loss", self.loss_name, "critic_distance"]

    @property
    def batches_per_step(self) -> int:
        """One batch for each critic step."""
        return self.n_critic

    def compile(
        self, generator_optimizer: Any = None, critic_optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Choose both optimizers; with none given, their learning rates decay.

        Args:
            generator_optimizer: as Keras takes it; None for RMSprop with a learning rate of 2e-4.
            critic_optimizer: likewise.
            **kwargs: `ImageModel.compile`'s.
        """
        super().compile(generator_optimizer, critic_optimizer, **kwargs)

    def default_optimizer(self, learning_rate: float) -> keras.optimizers.Optimizer:
        """RMSprop: with momentum the critic becomes unstable (section 4)."""
        return keras.optimizers.RMSprop(learning_rate)

    def learn(self, images: Any, labels: Any = None) -> None:
        """`n_critic` steps of the critic, then one of the generator."""
        images = self.prepare(images)
        # Where the shares of a batch cannot be even, its first images fill the last ones.
        count = -(-ops.shape(images)[0] // self.n_critic)
        for k in range(self.n_critic):
            chosen = (ops.arange(count) * self.n_critic + k) % ops.shape(images)[0]
            share = ops.take(images, chosen, axis=0)
            with frozen_statistics(self.generator):
                fakes = self.generator(self.prior(count), training=True)
            self.discriminator_step(share, ops.stop_gradient(fakes))
        self.generator_step(count)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """f(G(z)) − f(x)."""
        return fake - real

    def generator_loss(self, fake: Any) -> Any:
        """−f(G(z))."""
        return -fake

    def judge(self, real: Any, fake: Any) -> dict:
        """The distance that the critic sees."""
        return {"critic_distance": ops.mean(real) - ops.mean(fake)}

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {**super().get_config(), "n_critic": self.n_critic, "clip_value": self.clip_value}
