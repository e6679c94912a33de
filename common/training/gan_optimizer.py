"""Optimizers and the weights that they move; one optimizer object for both players of a GAN."""

from collections.abc import Sequence
from typing import Any

import keras

from common.errors import InputError
from common.training.rates import rates_of


def build_optimizer(optimizer: keras.optimizers.Optimizer, weights: Sequence) -> None:
    """Create an optimizer's slots for these weights.

    Raises:
        InputError: it has slots for others.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if inner.built and not moves(inner, weights):
        raise InputError(
            f"The {type(inner).__name__} given already belongs to other weights: of another "
            "model, of the other player, or before some were frozen. Give a new object for each."
        )
    if not optimizer.built:
        optimizer.build(weights)


def moves(optimizer: keras.optimizers.Optimizer, weights: Sequence) -> bool:
    """Whether an optimizer was built for exactly these weights."""
    return [id(v) for v in optimizer._trainable_variables] == [id(v) for v in weights]


class GANOptimizer(keras.optimizers.Optimizer):
    """The generator's and the discriminator's optimizers as one.

    Keras carries, saves and restores only `model.optimizer.variables`: here the variables of both.

    Args:
        generator: the generator's optimizer.
        discriminator: the discriminator's or critic's optimizer.
        scale_loss: wrap both in a `LossScaleOptimizer` if they are not yet, for mixed_float16.
    """

    def __init__(
        self,
        generator: keras.optimizers.Optimizer,
        discriminator: keras.optimizers.Optimizer,
        scale_loss: bool = False,
    ):
        super().__init__(learning_rate=0.0, name="players")
        # Saved files know the attribute by this name.
        self.players = [generator, discriminator]
        if scale_loss:
            scaled = keras.optimizers.LossScaleOptimizer
            self.players = [p if isinstance(p, scaled) else scaled(p) for p in self.players]
        rates = rates_of([generator, discriminator])
        self.ratio = rates[1] / rates[0] if rates[0] else 1.0

    @property
    def generator(self) -> keras.optimizers.Optimizer:
        """The generator's optimizer."""
        return self.players[0]

    @property
    def discriminator(self) -> keras.optimizers.Optimizer:
        """The discriminator's optimizer."""
        return self.players[1]

    @property
    def variables(self) -> list[keras.Variable]:
        """Step counts, learning rates and slots of both."""
        return [v for player in self.players for v in player.variables]

    @property
    def learning_rate(self) -> Any:
        """The generator's learning rate; setting it scales the discriminator's too."""
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.generator.learning_rate = value
        self.discriminator.learning_rate = value * self.ratio
