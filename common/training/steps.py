"""A step that is written once, and what happens between the steps."""

from collections.abc import Sequence
from typing import Any

from common.training.backend import Step
from common.training.gradients import GradientNorm


class StepModel(Step):
    """A `keras.Model` whose step is written once, in `keras.ops`, for every backend.

    A subclass implements `training_step(images, labels)` and `validation_step(images, labels)`,
    which Keras's `fit` and `evaluate` run. Both update `self.metrics`; the first calls
    `self.minimize` for each optimizer step.

    `minimize(loss, variables, optimizer)` takes one step down the gradient of a scalar and returns
    `aux`. `loss()` returns `(scalar, aux)`, where `aux` is any structure of tensors, and the
    optimizer must have been built with exactly these variables.
    """

    # What a training does between steps; None outside `fit`.
    session: Any = None
    # Of each optimizer, where they are to be logged.
    gradient_norms: Sequence[GradientNorm] = ()

    def see_gradients(self, gradients: Sequence[Any], optimizer: Any) -> None:
        """What `minimize` shows of a step before the optimizer takes it."""
        for norm in self.gradient_norms:
            if norm.optimizer is optimizer:
                norm.see(gradients)

    def make_train_function(self, force: bool = False) -> None:
        """Keras's train function, and what the `session` does before and after each call."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force)
        call = self.train_function

        def call_in_session(*arguments: Any) -> Any:
            if self.session is None:
                return call(*arguments)
            if self.session.skips():
                return self.pass_over(*arguments)
            result = call(*arguments)
            if self.session.is_due():
                self.publish(result)
                self.session.act()
            return result

        self.train_function = call_in_session
