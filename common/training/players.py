"""One optimizer object that holds both players' optimizers."""

from typing import Any

import keras


class PlayersOptimizer(keras.optimizers.Optimizer):
    """The generator's and the discriminator's optimizers as one.

    Keras carries, saves and restores `model.optimizer.variables` and nothing else (on JAX they are
    the only optimizer state of the compiled step), so these are both players'.

    Args:
        generator: the generator's optimizer.
        discriminator: the discriminator's, or critic's.
        scale_loss: wrap both in a `LossScaleOptimizer`, for mixed_float16.
    """

    def __init__(
        self,
        generator: keras.optimizers.Optimizer,
        discriminator: keras.optimizers.Optimizer,
        scale_loss: bool = False,
        name: str = "players",
    ):
        super().__init__(learning_rate=0.0, name=name)
        self.players = [
            keras.optimizers.LossScaleOptimizer(player) if scale_loss else player
            for player in (generator, discriminator)
        ]
        steps = float(generator.learning_rate), float(discriminator.learning_rate)
        self.ratio = steps[1] / steps[0] if steps[0] else 1.0

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
        """Both players' step counts, learning rates and slots."""
        return [v for player in self.players for v in player.variables]

    @property
    def learning_rate(self) -> Any:
        """The generator's; setting it changes the discriminator's by the same factor."""
        return self.generator.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.generator.learning_rate = value
        self.discriminator.learning_rate = value * self.ratio

    def build_players(self, generator_variables: list, discriminator_variables: list) -> None:
        """Create the slots, each player's for its own weights."""
        for player, variables in zip(
            self.players, (generator_variables, discriminator_variables), strict=True
        ):
            player.build(variables)
        self.built = True
