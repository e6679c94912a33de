"""What all models of the zoo share: feeding, checks, metrics, saving, presets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import keras
import numpy as np
from keras import ops

from common import presets
from common.errors import InputError
from common.models.inputs import (
    UnitRange,
    as_array,
    check_batch_shape,
    check_images,
    check_labels,
    checked_image_shape,
    first_batch,
    is_array,
    unit_range,
    whole_number,
)
from common.training.backend import StepModel, batches, fastest_execution, predict_fast
from common.training.callbacks import CosineDecay, StopOnNonFinite
from common.training.interrupt import InterruptBetweenSteps

LONG_JOB = 50_000


def checked_batch_size(batch_size: int | None) -> int:
    """The number of images per step; Keras's 32 where none is given."""
    return 32 if batch_size is None else whole_number("batch_size", batch_size)


class ImageModel(StepModel):
    """A model of images `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].

    Subclasses list their metrics in `metric_names` and their constructor's arguments in
    `get_config`; they implement `learn` and `assess` (see `StepModel`).

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: classes of the labels the model learns from, or None for none.
        seed: of the model's own noise and of the order of the images.
    """

    convolutional = False
    batches_per_step = 1
    drop_remainder = False
    # Whether `fit` shows validation figures that say something; a GAN's losses do not.
    validates = True

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
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.metric_names}

    @property
    def metric_names(self) -> list[str]:
        """Names of what `track` records, in the order in which they are shown."""
        raise NotImplementedError

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means that `fit` and `evaluate` show."""
        return list(self.trackers.values())

    def track(self, count: Any, **values: Any) -> None:
        """Add a batch of `count` images to the running means."""
        for name, value in values.items():
            self.trackers[name].update_state(value, sample_weight=count)

    def compile(
        self,
        optimizer: Any = None,
        *,
        cosine_decay: bool | None = None,
        jit_compile: bool | str | None = None,
        steps_per_execution: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Choose the optimizer; what is not given is the recipe's, or the fastest here.

        Args:
            optimizer: as Keras takes it; None for Adam with a step of 2e-3, the recipes'.
            cosine_decay: let the step size fall to zero over the epochs of `fit`, as half a cosine;
                None for True with the default optimizer, False with a given one.
            jit_compile: as Keras has it; None for what is fastest for this model and device.
            steps_per_execution: likewise.
            **kwargs: Keras's further arguments.
        """
        self.cosine_decay = optimizer is None if cosine_decay is None else cosine_decay
        choice = fastest_execution(self.convolutional)
        super().compile(
            optimizer=keras.optimizers.Adam(2e-3) if optimizer is None else optimizer,
            jit_compile=choice["jit_compile"] if jit_compile is None else jit_compile,
            steps_per_execution=steps_per_execution or choice["steps_per_execution"],
            **kwargs,
        )
        self.build_optimizer()

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """Every optimizer with a step size of its own."""
        return [self.optimizer]

    def build_optimizer(self) -> None:
        """Create the optimizer's variables; a model of several players overrides this."""
        self.optimizer.build(self.trainable_variables)

    def get_compile_config(self) -> dict | None:
        """The optimizer and its schedule; how to execute is chosen anew where a file is loaded."""
        if not self.compiled:
            return None
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "cosine_decay": self.cosine_decay,
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile as `get_compile_config` says."""
        self.compile(**config)

    def check_data(self, image_shape: Sequence[int]) -> None:
        """Raise an `InputError` unless the model takes images of this shape."""
        if tuple(image_shape) != self.image_shape:
            raise InputError(
                f"The data's images are {tuple(image_shape)}, this model takes {self.image_shape}; "
                "load one that was trained on such images, or train it."
            )

    def prepare(self, images: Any) -> Any:
        """A batch as float32 in [0, 1], its shape checked while the step is traced."""
        check_batch_shape(images.shape, self.image_shape)
        return unit_range(ops.convert_to_tensor(images))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        validation_data: Any = None,
        validation_split: float = 0.0,
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        shuffle: bool = True,
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
            callbacks: Keras callbacks.
            shuffle: draw a new order for every epoch.
            **kwargs: Keras's further arguments.

        Raises:
            InputError: what was given cannot be learned from.
            FloatingPointError: a loss became NaN or infinite; the weights are those of the last
                good epoch.
        """
        self._assert_compile_called("fit")
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
                validation_data = self._feed(*self._check(*parts), batch_size)
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
                callbacks=[guard, decay, *(callbacks or ()), interrupt],
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
        return batches(arrays, size, shuffle, self.seed or 0, self.drop_remainder)

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

    @classmethod
    def load(cls, filepath: str | Path) -> Self:
        """Load what `save` wrote, on any backend, compiled.

        Raises:
            InputError: no such file, not a Keras file, or a file of another model.
        """
        if not Path(filepath).is_file():
            raise InputError(f"There is no file {filepath}; give the path that save() wrote.")
        try:
            model = keras.saving.load_model(filepath)
        except (ValueError, OSError, TypeError, KeyError, BadZipFile) as error:
            raise InputError(
                f"{filepath} could not be read as a model of this zoo "
                f"({str(error).splitlines()[0]}); train it again or give another file."
            ) from error
        if not isinstance(model, cls):
            raise InputError(f"{filepath} holds a {type(model).__name__}, not a {cls.__name__}.")
        return model

    @classmethod
    def from_preset(cls, name: str, *, load_weights: bool = False, **overrides: Any) -> Self:
        """Build a preset's model, compiled with its recipe's optimizer.

        Args:
            name: one of `common.presets.names()`.
            load_weights: take trained weights along; no preset has any yet.
            **overrides: constructor arguments to replace.

        Raises:
            InputError: an unknown name, a preset of another model, or weights that do not exist.
        """
        preset = presets.get(name)
        if preset["model"] != cls.__name__:
            raise InputError(f"Preset {name!r} is a {preset['model']}, not a {cls.__name__}.")
        if load_weights:
            raise InputError(
                f"Preset {name!r} has no trained weights yet; pass load_weights=False and train it."
            )
        model = cls(**{**preset["arguments"], **overrides})
        model.compile(**preset["compile"])
        return model

    def get_config(self) -> dict:
        """The constructor's arguments, the precision among them."""
        return {
            "image_shape": list(self.image_shape),
            "num_classes": self.num_classes,
            "seed": self.seed,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }
