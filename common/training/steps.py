"""A step that is written once, and what happens between the steps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from common.training.backend import Step
from common.training.batches import Chunks
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
    # By Keras's functions: the chunks of those that gather their batches on the device, the calls
    # that do so, and the steps in a call of the others.
    chunks: Mapping[str, Chunks] = {}
    gathering: dict[str, Callable] = {}
    steps_traced: dict[str, int] = {}

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
        call = self._or_gathering("train_function", self.training_step)

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

    def make_test_function(self, force: bool = False) -> None:
        """Keras's test function."""
        if self.test_function is None or force:
            super().make_test_function(force)
            self.test_function = self._or_gathering("test_function", self.validation_step)

    def train_on_batch(self, *arguments: Any, **options: Any) -> Any:
        """Keras's `train_on_batch`, within a `fit` too."""
        session, self.session = self.session, None
        try:
            with self.taking(1, "train_function"):
                return super().train_on_batch(*arguments, **options)
        finally:
            self.session = session

    def test_on_batch(self, *arguments: Any, **options: Any) -> Any:
        """Keras's `test_on_batch`, within a `fit` too."""
        with self.taking(1, "test_function"):
            return super().test_on_batch(*arguments, **options)

    def _or_gathering(self, name: str, step: Callable) -> Callable:
        """A function of Keras's, or the one that gathers on the device where there are chunks."""
        call = getattr(self, name)

        def chosen(*arguments: Any) -> Any:
            if name not in self.chunks:
                return call(*arguments)
            if name not in self.gathering:
                self.gathering[name] = self.fused(step)
            return self.gathering[name](self.chunks[name], *arguments)

        return chosen

    @contextmanager
    def taking(
        self, steps: int, *functions: str, chunks: Mapping[str, Chunks] | None = None
    ) -> Iterator[None]:
        """Within the block, a call of these functions takes `steps` steps, or a chunk."""
        before = self.steps_per_execution, self.chunks
        others = {name: value for name, value in self.chunks.items() if name not in functions}
        self.steps_per_execution, self.chunks = steps, {**others, **(chunks or {})}
        for name in functions:
            if name not in self.chunks and self.steps_traced.get(name) != steps:
                setattr(self, name, None)
                self.steps_traced[name] = steps
        try:
            yield
        finally:
            self.steps_per_execution, self.chunks = before
