"""WGAN with weight clipping (Arjovsky et al. 2017)."""

import math
from typing import Any

import keras
from keras import ops

from common.errors import InputError, whole_number
from common.models.gan import GAN
from common.models.gan_steps import frozen_statistics


@keras.saving.register_keras_serializable("zoo")
class Clip(keras.constraints.Constraint):
    """Keep every number of a weight within ±`value`."""

    def __init__(self, value: float):
        self.value = value

    def __call__(self, weight: Any) -> Any:
        return ops.clip(weight, -self.value, self.value)

    def get_config(self) -> dict:
        return {"value": self.value}


@keras.saving.register_keras_serializable("zoo")
class WGAN(GAN):
    """The critic estimates an earth mover's distance, the generator descends it (algorithm 1).

    `fit` takes `n_critic · batch_size` images for a step: each critic step sees its own share, then
    the generator takes one step.

    Args:
        image_shape, latent_dim: as in `GAN`.
        n_critic: critic steps per generator step, at least 1. Ready-made batches (`tf.data`, a
            loader) must hold n_critic times as many images as one critic step sees.
        clip_value: bound of every trainable weight of the critic, above 0 and finite.
        **kwargs: `GAN`'s further arguments. The default `networks` are "paper_critic", the DCGAN
            paper's without BatchNorm in the critic; "smooth_critic" suits contours and other
            smooth grey values.
    """

    loss_name = "critic_loss"
    score_kind = "distance"
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
        self.clip_critic()

    @property
    def critic(self) -> keras.Model:
        """The discriminator."""
        return self.discriminator

    def clip_critic(self) -> None:
        """Bound the critic's trainable weights, now and after each update."""
        # The optimizer applies a variable's constraint. BatchNorm's moving statistics are not
        # trainable and stay as they are.
        for weight in self.critic.trainable_variables:
            if not isinstance(weight.constraint, Clip):
                weight.constraint = Clip(self.clip_value)
                weight.assign(weight.constraint(weight))

    def build_optimizer(self) -> None:
        self.clip_critic()  # Layers that were frozen in the constructor may be free now.
        super().build_optimizer()

    @property
    def batches_per_step(self) -> int:
        """One batch for each critic step."""
        return self.n_critic

    def compile(
        self, generator_optimizer: Any = None, critic_optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Choose both optimizers; the default ones' learning rates decay.

        Args:
            generator_optimizer, critic_optimizer: any form Keras takes; None for RMSprop at 2e-4.
            **kwargs: `ImageModel.compile`'s, except `optimizer`.
        """
        super().compile(generator_optimizer, critic_optimizer, **kwargs)

    def default_optimizers(self) -> list[keras.optimizers.Optimizer]:
        """RMSprop for both: with momentum the critic becomes unstable (section 4)."""
        return [keras.optimizers.RMSprop(2e-4) for _ in range(2)]

    def training_step(self, images: Any, labels: Any = None) -> None:
        """`n_critic` steps of the critic, then one of the generator."""
        images = self.preprocess(images)
        # If the shares of a batch cannot be even, its first images fill the last ones.
        count = -(-ops.shape(images)[0] // self.n_critic)
        for k in range(self.n_critic):
            chosen = (ops.arange(count) * self.n_critic + k) % ops.shape(images)[0]
            share = ops.take(images, chosen, axis=0)
            with frozen_statistics(self.generator):
                fakes = self.generated(self.sample_latent(count), training=True)
            self.discriminator_step(share, ops.stop_gradient(fakes))
        self.generator_step(count)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """f(G(z)) − f(x)."""
        return fake - real

    def generator_loss(self, fake: Any) -> Any:
        """−f(G(z))."""
        return -fake

    def get_config(self) -> dict:
        return {**super().get_config(), "n_critic": self.n_critic, "clip_value": self.clip_value}
