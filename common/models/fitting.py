"""What `fit` and `evaluate` of every model are given: checked first, then fed without waits."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from common.errors import InputError, whole_number
from common.models.inputs import (
    UnitRange,
    as_array,
    check_images,
    check_labels,
    checked_image_shape,
    first_batch,
    is_array,
)
from common.training.backend import StepModel, batches, predict_fast
from common.training.callbacks import CosineDecay, StopOnNonFinite
from common.training.interrupt import InterruptBetweenSteps

LONG_JOB = 50_000


def checked_batch_size(batch_size: int | None) -> int:
    """The number of images per step; Keras's 32 where none is given."""
    return 32 if batch_size is None else whole_number("batch_size", batch_size)


class FittedModel(StepModel):
    """A `StepModel` whose `fit`, `evaluate` and predictions take images of one shape.

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: classes of the labels the model learns from, or None for none.
        seed: of the order of the images.
    """

    batches_per_step = 1
    drop_remainder = False
    cosine_decay = False

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

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Every optimizer with a learning rate of its own."""
        return [self.optimizer]

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        validation_data: Any = None,
        validation_split: float = 0.0,
        validation_batch_size: int | None = None,
        callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback] | None = None,
        shuffle: bool = True,
        sample_weight: None = None,
        class_weight: None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Keras's `fit`, with the arrays checked first and fed without its waits.

        Args:
            x: images `(N, H, W, C)`, uint8 or float in [0, 1], or anything else `fit` takes.
            y: integer labels `(N,)`, used where the model has a classifier.
            batch_size: images per step, 32 by default.
            epochs: passes over `x`.
            validation_data: `(x, y)` or `x`, likewise.
            validation_split: share of the end of `x` to validate on.
            validation_batch_size: images per step of the validation; by default as in training.
            callbacks: Keras callbacks.
            shuffle: draw a new order for every epoch; a model that was trained before goes on to
                new ones.
            sample_weight, class_weight: refused: these losses weigh all images alike.
            **kwargs: Keras's further arguments.

        Raises:
            InputError: what was given cannot be learned from.
            FloatingPointError: a loss became NaN or infinite; the weights are those of the last
                good epoch.
        """
        self._assert_compile_called("fit")
        if sample_weight is not None or class_weight is not None:
            raise InputError(
                "These models weigh all images alike: leave sample_weight and class_weight."
            )
        if isinstance(x, tuple):
            raise InputError("Got a tuple as x; pass the images as x and labels as y.")
        if is_array(x):
            images, labels = self._check(x, y)
            if validation_split:
                kept = round(len(images) * (1 - validation_split))
                if not 0 < kept < len(images):
                    raise InputError(
                        f"Got validation_split={validation_split} of {len(images)} images; "
                        "expected a share that leaves images on both sides."
                    )
                parts = [a for a in (images, labels) if a is not None]
                validation_data = tuple(a[kept:] for a in parts)
                images, labels = [None if a is None else a[:kept] for a in (images, labels)]
            x, y = self._feed_steps(images, labels, batch_size, shuffle), None
            shuffle = False
        elif validation_split:
            raise InputError("A validation_split takes arrays; pass validation_data instead.")
        else:
            self._check_source(x)
        if validation_data is not None:
            pair = isinstance(validation_data, tuple) or (
                isinstance(validation_data, list)
                and len(validation_data) == 2
                and np.ndim(as_array(validation_data[1])) < 3
            )
            parts = validation_data if pair else (validation_data,)
            if is_array(parts[0]):
                size = validation_batch_size or batch_size
                validation_data = self._feed(*self._check(*parts), size)
            else:
                self._check_source(validation_data)
        guard = StopOnNonFinite()
        decay = CosineDecay(self.optimizers if self.cosine_decay else (), epochs)
        with decay, InterruptBetweenSteps() as interrupt:
            history = super().fit(
                x,
                y,
                epochs=epochs,
                validation_data=validation_data,
                # Last, so that an interrupt takes nothing from the other callbacks.
                callbacks=[guard, decay, *keras.tree.flatten(callbacks or ()), interrupt],
                shuffle=shuffle,
                **kwargs,
            )
        guard.raise_if_stopped()
        return history

    def evaluate(self, x: Any = None, y: Any = None, batch_size: int = 256, **kwargs: Any) -> dict:
        """The metrics on `x` (and `y`) as a dict: `fit`'s, without its updates."""
        if is_array(x):
            x, y = self._feed(*self._check(x, y), batch_size), None
        elif not kwargs.get("_use_cached_eval_dataset"):  # Those of `fit` have been checked by it.
            self._check_source(x)
        kwargs.setdefault("return_dict", True)
        return super().evaluate(x, y, **kwargs)

    def _check(self, x: Any, y: Any = None, *extra: Any) -> tuple[Any, np.ndarray | None]:
        if extra:
            raise InputError("Got three arrays; expected images, or images and labels.")
        images = check_images(x, self.image_shape)
        if self.num_classes is not None:
            return images, check_labels(y, len(images), self.num_classes)
        if y is not None and np.ndim(as_array(y)) > 2:
            raise InputError(
                "Got images as y; the model takes its target from x, so pass the images once."
            )
        return images, None

    def _check_source(self, source: Any) -> None:
        """Check the first batch of what makes batches, where looking at it takes nothing away."""
        if (batch := first_batch(source)) is not None:
            self._check(*batch[:2])

    def _feed(self, images: Any, labels: Any, batch_size: int | None) -> Any:
        arrays = (images,) if labels is None else (images, labels)
        return batches(arrays, checked_batch_size(batch_size))

    def _feed_steps(self, images: Any, labels: Any, batch_size: int | None, shuffle: bool) -> Any:
        arrays = (images,) if labels is None else (images, labels)
        size = checked_batch_size(batch_size)
        self.check_batch_size(size, len(images))
        size *= self.batches_per_step
        seed = np.random.randint(2**31) if self.seed is None else self.seed
        # There are no fewer steps than there were epochs: their orders do not come again.
        done = int(self.optimizers[0].iterations)
        return batches(arrays, size, shuffle, seed, done, self.drop_remainder)

    def check_batch_size(self, batch_size: int, count: int) -> None:
        """Raise an `InputError` unless `count` images make a step of the model."""
        most = count // self.batches_per_step
        if self.drop_remainder and batch_size > most:
            most = f"lower batch_size to at most {most}" if most else "give more images"
            raise InputError(
                f"Got {count} images for steps of {batch_size * self.batches_per_step}; {most}."
            )

    def run(self, network: keras.Model, inputs: Any, batch_size: int) -> np.ndarray:
        """`network`'s outputs on an array, batch by batch, with a progress bar where it is long."""
        verbose = 1 if len(inputs) > LONG_JOB else 0
        predict_fast(network)
        return network.predict(batches((inputs,), batch_size), verbose=verbose)

    def run_on_images(self, network: keras.Model, images: Any, batch_size: int) -> np.ndarray:
        """`run` on images in any form that `fit` takes as an array."""
        return self.run(network, UnitRange(check_images(images, self.image_shape)), batch_size)
