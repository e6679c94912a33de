"""The size of the gradients, which says early whether a training is about to diverge."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class GradientNorm(keras.metrics.Mean):
    """The mean over the steps of an epoch of the L2 norm of all gradients of one optimizer.

    Steps that a loss scale leaves out, because float16 overflowed, do not count.
    """

    def __init__(self, name: str, optimizer: keras.optimizers.Optimizer):
        super().__init__(name, "float32")
        self.optimizer = optimizer

    def see(self, gradients: Sequence[Any]) -> None:
        """Add one step's gradients, of the scaled loss."""
        squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in gradients if g is not None]
        norm = ops.sqrt(sum(squares)) / self.optimizer.scale_loss(ops.ones(()))
        finite = ops.isfinite(norm)
        self.update_state(ops.where(finite, norm, 0.0), ops.cast(finite, "float32"))
