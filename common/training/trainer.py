"""`fit`: input is checked once here, then fed without waits, and a stopped training goes on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import InputError, whole_number
from common.training.batches import ArrayBatches
from common.training.evaluator import FUNCTIONS, Evaluator, checked_batch_size
from common.training.inputs import as_array, is_array
from common.training.rates import CosineDecay
from common.training.session import Session


class Trainer(Evaluator):
    """A model that is trained on images of one shape; see `ImageModel`."""

    cosine_decay = False
    # The optimizers' rates between epochs, while they are decayed.
    undecayed_rates: list[float] | None = None
    # Of the images: the seed, and the number of `fit`s that began with epoch 0.
    order: tuple[int, int] | None = None

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
        verbose: str | int = "auto",
        callbacks: keras.callbacks.Callback | Sequence[keras.callbacks.Callback] | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: None = None,
        sample_weight: None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        *,
        resume: str | Path | None = None,
    ) -> keras.callbacks.History:
        """Keras's `fit`, which checks arrays first, feeds them without Keras's waits, and goes on.

        Args:
            x: images `(N, H, W, C)`, uint8 or float in [0, 1], or any source `fit` takes.
            y: integer labels `(N,)`, used by models with a classifier.
            batch_size: images per step, 32 by default.
            epochs: passes over `x`.
            callbacks: Keras callbacks.
            validation_split: share of the end of `x` to validate on.
            validation_data: `(x, y)` or `x`, in the same forms.
            shuffle: draw a new order for every epoch, from the seed and the epoch's number; a
                further `fit` from epoch 0 takes further orders.
            class_weight, sample_weight: none; these models weigh all images alike.
            validation_batch_size: images per validation step; by default `batch_size`.
            resume: a folder for the state of the training. It is saved at every epoch's end, twice
                a minute within one, and at Ctrl-C or SIGTERM; the same call goes on from there.
            verbose, initial_epoch, steps_per_epoch, validation_steps, validation_freq: as in Keras.

        Raises:
            InputError: the model cannot learn from this input.
            FloatingPointError: a loss or weight became NaN, infinite or absurd; the weights are
                those of the last good epoch.
        """
        self._assert_compile_called("fit")
        if class_weight is not None or sample_weight is not None:
            raise InputError(
                "These models weigh all images alike: leave sample_weight and class_weight."
            )
        if isinstance(x, tuple):
            raise InputError("Got a tuple as x; pass the images as x and labels as y.")
        whole_number("epochs", epochs)
        steps_per_epoch = min(
            filter(None, (steps_per_epoch, keras.config.max_steps_per_epoch())), default=None
        )
        begin_epoch, data = None, {}
        if is_array(x):
            arrays = self._check(x, y)
            if validation_split:
                arrays, validation_data = split_off(arrays, validation_split)
            size = checked_batch_size(batch_size)
            self.check_batch_size(size, len(arrays[0]))
            x = ArrayBatches(
                arrays, size * self.batches_per_step, shuffle, self.drop_remainder, steps_per_epoch
            )
            begin_epoch = x.begin_epoch
            data = {"images": len(arrays[0]), "batch_size": size, "steps": len(x)}
            data["content"] = x.digest()
            y, shuffle, steps_per_epoch = None, False, None
        elif validation_split:
            raise InputError("A validation_split takes arrays; pass validation_data instead.")
        else:
            x = self._checked_source(x)
        if validation_data is not None:
            pair = isinstance(validation_data, tuple) or (
                isinstance(validation_data, list)
                and len(validation_data) == 2
                and np.ndim(as_array(validation_data[1])) < 3
            )
            parts = validation_data if pair else (validation_data,)
            if is_array(parts[0]):
                size = checked_batch_size(validation_batch_size or batch_size)
                validation_data = self._evaluation_batches(tuple(parts), size, validation_steps)
                validation_steps = None
            else:
                validation_data = self._checked_source(validation_data)
        self.begin_order(initial_epoch)
        known = keras.tree.flatten(callbacks or ())
        decay = CosineDecay(epochs) if self.cosine_decay else None
        # Some callbacks count batches, and a chunk would be one.
        counted = any(isinstance(getattr(c, "save_freq", None), int) for c in known)
        (x, validation_data), chunks = self.fed(x, validation_data, gather=not counted)
        steps = self.whole_calls(steps_per_epoch, validation_steps)
        call = f"chunks of {steps}" if chunks else steps
        self.session = Session(self, resume, begin_epoch, decay, known, data, call)
        with self.taking(1 if chunks else steps, *FUNCTIONS, chunks=chunks):
            return self.session.run(
                super().fit,
                x=x,
                y=y,
                epochs=epochs,
                verbose=verbose,
                validation_data=validation_data,
                shuffle=shuffle,
                initial_epoch=initial_epoch,
                steps_per_epoch=steps_per_epoch,
                validation_steps=validation_steps,
                validation_freq=validation_freq,
            )

    def begin_order(self, initial_epoch: int) -> None:
        """Choose the seeds of the images' orders: new ones for each `fit` from epoch 0."""
        drawn = np.random.randint(2**31) if self.seed is None else self.seed
        seed, fits = self.order or (drawn, 0)
        self.order = (seed, max(1, fits + (initial_epoch == 0)))

    def undo_decay(self) -> None:
        """Give the optimizers the rates back that they have between epochs."""
        if self.undecayed_rates is not None:
            for optimizer, rate in zip(self.optimizers, self.undecayed_rates, strict=True):
                optimizer.learning_rate = rate
        self.undecayed_rates = None


def split_off(arrays: tuple, share: float) -> tuple[tuple, tuple]:
    """Arrays without a share of their end, and that share for validation."""
    kept = round(len(arrays[0]) * (1 - share))
    if not 0 < kept < len(arrays[0]):
        raise InputError(
            f"Got validation_split={share} of {len(arrays[0])} images; expected a share that "
            "leaves images on both sides."
        )
    return tuple(array[:kept] for array in arrays), tuple(array[kept:] for array in arrays)
