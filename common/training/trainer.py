"""`fit`, `evaluate` and predictions: input is checked once here, then fed without waits."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from common.errors import InputError, whole_number
from common.images import UnitRange
from common.training.backend import StepModel, batches, predict_fast
from common.training.guards import CosineDecay, InterruptBetweenSteps, StopOnNonFinite
from common.training.inputs import (
    as_array,
    check_images,
    check_labels,
    checked_image_shape,
    first_batch,
    is_array,
)

# From this many inputs on predictions show a progress bar.
LONG_JOB = 50_000


class Trainer(StepModel):
    """A `StepModel` that is trained, evaluated and run on images of one shape; see `ImageModel`."""

    # Batches that `fit` joins for one training step.
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
        self.seed_generator = keras.random.SeedGenerator(seed)

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
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Keras's `fit`, which checks arrays first and feeds them without Keras's waits.

        Args:
            x: images `(N, H, W, C)`, uint8 or float in [0, 1], or any source `fit` takes.
            y: integer labels `(N,)`, used by models with a classifier.
            batch_size: images per step, 32 by default.
            epochs: passes over `x`.
            validation_data: `(x, y)` or `x`, in the same forms.
            validation_split: share of the end of `x` to validate on.
            validation_batch_size: images per validation step; by default `batch_size`.
            callbacks: Keras callbacks.
            shuffle: draw a new order for every epoch; later calls of `fit` go on to new orders.
            **kwargs: Keras's further arguments, except sample_weight and class_weight.

        Raises:
            InputError: the model cannot learn from this input.
            FloatingPointError: a loss became NaN or infinite; the weights are those of the last
                good epoch.
        """
        self._assert_compile_called("fit")
        if any(kwargs.get(name) is not None for name in ("sample_weight", "class_weight")):
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
            size = checked_batch_size(batch_size)
            x, y = self._training_batches(images, labels, size, shuffle), None
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
                validation_data = batches(self._check(*parts), checked_batch_size(size))
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
        """The metrics on images `x` and labels `y` as a dict, in the forms that `fit` takes."""
        if is_array(x):
            x, y = batches(self._check(x, y), checked_batch_size(batch_size)), None
        elif not kwargs.get("_use_cached_eval_dataset"):  # `fit` has checked its own.
            self._check_source(x)
        kwargs.setdefault("return_dict", True)
        return super().evaluate(x, y, **kwargs)

    def _check(self, x: Any, y: Any = None, *extra: Any) -> tuple[Any, np.ndarray | None]:
        """Checked images, and labels where the model learns from them."""
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
        """Check the first batch of a source of batches, unless that would lose it."""
        if (batch := first_batch(source)) is not None:
            self._check(*batch[:2])

    def _training_batches(self, images: Any, labels: Any, batch_size: int, shuffle: bool) -> Any:
        self.check_batch_size(batch_size, len(images))
        return batches(
            (images, labels),
            batch_size * self.batches_per_step,
            shuffle=shuffle,
            seed=np.random.randint(2**31) if self.seed is None else self.seed,
            # There are at least as many steps as epochs so far, so no order is drawn twice.
            epoch=int(self.optimizers[0].iterations),
            drop_remainder=self.drop_remainder,
        )

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
        return network.predict(batches((inputs,), batch_size), verbose=verbose)

    def predict_images(self, network: keras.Model, images: Any, batch_size: int) -> Any:
        """`predict_batches` on images in any array form that `fit` takes."""
        images = UnitRange(check_images(images, self.image_shape))
        return self.predict_batches(network, images, batch_size)


def checked_batch_size(batch_size: int | None) -> int:
    """The number of images per step; Keras's 32 if none is given."""
    return 32 if batch_size is None else whole_number("batch_size", batch_size)
