"""`evaluate` and predictions: input is checked once here, then fed without waits."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import keras
import numpy as np

from common.errors import InputError, whole_number
from common.images import UnitRange
from common.training.backend import feed, predict_fast, to_device
from common.training.batches import ArrayBatches, Chunks
from common.training.inputs import (
    ImageShape,
    as_array,
    check_images,
    check_labels,
    checked_image_shape,
    is_array,
    plain_rows,
)
from common.training.sources import first_batch, image_blocks
from common.training.steps import StepModel

# From this many inputs on predictions show a progress bar.
LONG_JOB = 50_000
# The most bytes of arrays to keep on the device, where steps gather their batches.
RESIDENT = 10**9
FUNCTIONS = ("train_function", "test_function")


class Evaluator(StepModel):
    """A `StepModel` that is evaluated and run on images of one shape; see `ImageModel`."""

    # Batches that `fit` joins for one training step.
    batches_per_step = 1
    drop_remainder = False
    # As compiled.
    most_steps_per_call = 1
    image_shape: ImageShape

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.image_shape = checked_image_shape(image_shape)
        self.num_classes = None
        if num_classes is not None:
            self.num_classes = whole_number("num_classes", num_classes, least=2)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = 256,
        verbose: str | int = "auto",
        sample_weight: None = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = True,
        **kwargs: Any,
    ) -> dict:
        """The metrics on images `x` and labels `y` as a dict, in the forms that `fit` takes.

        Raises:
            InputError: the model cannot be measured on this input.
            FloatingPointError: a loss is NaN or infinite.
        """
        if sample_weight is not None:
            raise InputError("These models weigh all images alike: leave sample_weight.")
        taken, chunks = self.steps_per_execution, self.chunks  # those of `fit`
        if not kwargs.get("_use_cached_eval_dataset"):
            if is_array(x):
                x = self._evaluation_batches((x, y), checked_batch_size(batch_size), steps)
                y = steps = None
            else:
                x = self._checked_source(x)
            # Each length of array is compiled for itself, which has to pay.
            several = isinstance(x, ArrayBatches) and len(x) > self.most_steps_per_call
            (x,), chunks = self.fed(x, gather=several)
            taken = 1 if chunks else self.whole_calls(steps)
        with self.taking(taken, "test_function", chunks=chunks):
            figures = super().evaluate(
                x,
                y,
                verbose=verbose,
                steps=steps,
                callbacks=callbacks,
                return_dict=return_dict,
                **kwargs,
            )
        if failure := self.failures.first():
            raise FloatingPointError(
                f"In evaluation, {failure} became NaN or infinite: the weights or the images hold "
                "such values. Load earlier weights, or look at the images."
            )
        taught = [norm.name for norm in self.gradient_norms]  # An evaluation has no gradients.
        if isinstance(figures, dict):
            return {name: value for name, value in figures.items() if name not in taught}
        return figures

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: str | int = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Keras's `predict`, which takes exactly `steps` batches of a stream."""
        with self.taking(self.whole_calls(steps), "predict_function"):
            return super().predict(x, batch_size, verbose, steps, callbacks)

    def _check(self, x: Any, y: Any = None, *extra: Any) -> tuple:
        """Checked images, and labels where the model learns from them."""
        if extra:
            raise InputError("Got three arrays; expected images, or images and labels.")
        images = plain_rows(check_images(x, self.image_shape))
        if self.num_classes is not None:
            return images, check_labels(y, len(images), self.num_classes)
        if y is not None and np.ndim(as_array(y)) > 2:
            raise InputError(
                "Got images as y; the model takes its target from x, so pass the images once."
            )
        return (images,)

    def _checked_source(self, source: Any) -> Any:
        """A source of batches whose first is checked, in a form that Keras reads."""
        batch, source = first_batch(source, self.image_shape)
        if batch is not None:
            self._check(*batch[:2])
        return source

    def _evaluation_batches(
        self, arrays: tuple, batch_size: int, steps: int | None
    ) -> ArrayBatches:
        """Batches of checked arrays, at most `steps` of them."""
        batches = ArrayBatches(self._check(*arrays), batch_size)
        batches.steps = min(steps or batches.steps, batches.steps)
        return batches

    def fed(self, *sources: Any, gather: bool = True) -> tuple[list, dict[str, Chunks]]:
        """What Keras's loops read for checked sources of the last of the `FUNCTIONS`.

        Where all are arrays that fit, that is chunks of their row numbers, by function, unless
        `gather` is false.
        """
        steps = self.most_steps_per_call
        known = dict(zip(FUNCTIONS[-len(sources) :], sources, strict=True))
        batches = {name: source for name, source in known.items() if source is not None}
        gather = (
            gather and steps > 1 and not self.run_eagerly and all(map(gathers, batches.values()))
        )
        if gather and to_device:
            with suppress(Exception):  # It may be full; then batches go there one by one.
                chunks = {n: Chunks(b, steps, to_device(b.arrays)) for n, b in batches.items()}
                return [feed(chunks[n]) if n in chunks else None for n in known], chunks
        return [feed(s) if isinstance(s, ArrayBatches) else s for s in sources], {}

    def check_batch_size(self, batch_size: int, count: int) -> None:
        """Raise an `InputError` unless `count` images suffice for one step of the model."""
        most = count // self.batches_per_step
        if self.drop_remainder and batch_size > most:
            remedy = f"lower batch_size to at most {most}" if most else "give more images"
            raise InputError(
                f"Got {count} images for steps of {batch_size * self.batches_per_step}; {remedy}."
            )

    def predict_batches(self, network: keras.Model, inputs: Any, batch_size: int) -> Any:
        """The outputs of `network` on an array; many inputs show a progress bar."""
        verbose = 1 if len(inputs) > LONG_JOB else 0
        predict_fast(network)
        return network.predict(feed(ArrayBatches((inputs,), batch_size)), verbose=verbose)

    def predict_images(self, network: keras.Model, images: Any, batch_size: int) -> Any:
        """`predict_batches` on images in any form that `fit` takes."""
        if is_array(images):
            images = UnitRange(check_images(images, self.image_shape))
            return self.predict_batches(network, images, batch_size)
        blocks = image_blocks(images)
        parts = [self.predict_images(network, block, batch_size) for block in blocks]
        return keras.tree.map_structure(lambda *outputs: np.concatenate(outputs), *parts)

    def whole_calls(self, *counts: int | None) -> int:
        """The most steps per call that make these numbers of steps up exactly."""
        known, most = [*filter(None, counts)], self.most_steps_per_call
        return max(k for k in range(1, most + 1) if not any(count % k for count in known))


def gathers(source: Any) -> bool:
    """Whether steps can gather the batches of a source on the device."""
    if not isinstance(source, ArrayBatches):
        return False
    regular = source.steps == source.pass_steps or not source.has_smaller_last
    in_memory = all(isinstance(array, np.ndarray) for array in source.arrays)
    return regular and in_memory and sum(array.nbytes for array in source.arrays) <= RESIDENT


def checked_batch_size(batch_size: int | None) -> int:
    """The number of images per step; Keras's 32 if none is given."""
    return 32 if batch_size is None else whole_number("batch_size", batch_size)
