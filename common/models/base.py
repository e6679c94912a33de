"""What all models of the zoo share: metrics, compilation, saving, presets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from zipfile import BadZipFile

import keras
from keras import ops

from common import presets
from common.errors import InputError
from common.models.fitting import FittedModel
from common.models.inputs import check_batch_shape, unit_range
from common.training.backend import fastest_execution


class ImageModel(FittedModel):
    """A model of images `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].

    Subclasses list their metrics in `metric_names` and their constructor's arguments in
    `get_config`; they implement `learn` and `assess` (see `StepModel`).

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: classes of the labels the model learns from, or None for none.
        seed: of the model's own noise and of the order of the images.
    """

    convolutional = False
    # Whether `fit` shows validation figures that say something; a GAN's losses do not.
    validates = True

    def __init__(
        self,
        image_shape: Sequence[int],
        num_classes: int | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(image_shape, num_classes, seed, **kwargs)
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
            optimizer: as Keras takes it; None for Adam with a learning rate of 2e-3, the recipes'.
            cosine_decay: let the learning rate fall to zero over the epochs of `fit`, as half a
                cosine; None for True with the default optimizer, False with a given one.
            jit_compile: as Keras has it; None for what is fastest for this model and device.
            steps_per_execution: likewise.
            **kwargs: Keras's further arguments.

        Raises:
            InputError: losses or metrics, which the model has of its own.
        """
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.get(name) is not None:
                raise InputError(
                    f"Got {name}={kwargs[name]!r}; a {type(self).__name__} has its own losses and "
                    "metrics: leave it out, or override the loss in a subclass."
                )
        self.cosine_decay = optimizer is None if cosine_decay is None else cosine_decay
        choice = fastest_execution(self.convolutional)
        super().compile(
            optimizer=keras.optimizers.Adam(2e-3) if optimizer is None else optimizer,
            jit_compile=choice["jit_compile"] if jit_compile is None else jit_compile,
            steps_per_execution=steps_per_execution or choice["steps_per_execution"],
            **kwargs,
        )
        self.build_optimizer()

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
            raise InputError(f"{filepath} holds {type(model).__name__}, not {cls.__name__}.")
        return model

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Build a preset's model, compiled with its recipe's optimizer.

        Args:
            name: one of `common.presets.names()`.
            **overrides: constructor arguments to replace.

        Raises:
            InputError: an unknown name, or a preset of another model.
        """
        preset = presets.get(name)
        if preset["model"] != cls.__name__:
            raise InputError(f"Preset {name!r} is for {preset['model']}, not {cls.__name__}.")
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
