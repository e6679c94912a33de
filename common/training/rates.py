"""Learning rates: their decay, and what they are without it."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class CosineDecay(keras.callbacks.Callback):
    """Let learning rates fall to zero over the epochs as half a cosine (Loshchilov & Hutter 2017).

    Keras's schedules need the number of steps and block assigned rates; this one goes by epochs.
    The model keeps the rates from before the decay, in its files too, for whatever goes on.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.model.undo_decay()  # That of a model or backup which was saved within an epoch.
        progress = (epoch + 0.5) / self.epochs
        factor = 0.5 * (1 + math.cos(math.pi * progress))
        self.model.undecayed_rates = rates_of(self.model.optimizers)
        for optimizer, rate in zip(self.model.optimizers, self.model.undecayed_rates, strict=True):
            optimizer.learning_rate = rate * factor
        self.decayed = rates_of(self.model.optimizers)

    def after_all_begin(self) -> None:
        """Other callbacks have begun the epoch too, and may have assigned rates of their own."""
        if rates_of(self.model.optimizers) != self.decayed:
            self.model.undecayed_rates = None

    def after_all_end(self) -> None:
        """Carry over what other callbacks reduced as the epoch ended, and undo the decay."""
        if self.model.undecayed_rates is not None:
            rates = zip(
                self.model.undecayed_rates,
                rates_of(self.model.optimizers),
                self.decayed,
                strict=True,
            )
            self.model.undecayed_rates = [
                start if now == then else start * (now / then) for start, now, then in rates
            ]
            self.model.undo_decay()


def rates_of(optimizers: Sequence[keras.optimizers.Optimizer]) -> list[float]:
    """The learning rate of each optimizer."""
    return [float(ops.convert_to_numpy(optimizer.learning_rate)) for optimizer in optimizers]


def rates_between_epochs(model: Any) -> list[float]:
    """The rates that a model's optimizers have between epochs; none where schedules set them."""
    if any(follows_schedule(optimizer) for optimizer in model.optimizers):
        return []
    return model.undecayed_rates or rates_of(model.optimizers)


def follows_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether the learning rate is a function of the step."""
    schedule = keras.optimizers.schedules.LearningRateSchedule
    return isinstance(optimizer._learning_rate, schedule)
