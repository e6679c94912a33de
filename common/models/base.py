"""What all models share: metrics, the step of a model with one loss, compiling."""

import copy
from collections.abc import Sequence
from typing import Any, Self

import keras
from keras import ops
from keras.saving import deserialize_keras_object, serialize_keras_object

from common.errors import InputError
from common.images import unit_range
from common.lazy_tensorflow import without_tensorflow
from common.metrics import MetricKind
from common.models.layers import LayeredModel
from common.models.pretrained import Pretrained
from common.training.backend import device_name, strategy_over_devices, to_device
from common.training.backend.fastest import fastest_execution
from common.training.failures import FirstFailure
from common.training.gan_optimizer import build_optimizer
from common.training.gradients import GradientNorm
from common.training.inputs import check_batch_shape
from common.training.rates import follows_schedule
from common.training.trainer import Trainer

# Seed of the noise in evaluation: the same at every call, so that figures repeat.
EVALUATION_SEED = 0


class ImageModel(Pretrained, LayeredModel, Trainer):
    """A model of images `(N, H, W, C)`, uint8 in 0..255 or float in [0, 1].

    A subclass states what its metrics mean in `metric_kinds`, its constructor's arguments in
    `get_config`, and its loss in `compute_losses`. A model with several losses and optimizers
    overrides `training_step` and `validation_step` instead.

    Args:
        image_shape: `(height, width, channels)`.
        num_classes: classes of the labels the model learns from; None for a model without labels.
        seed: seed of the weights, the dropout, the noise and the order of the images.
    """

    # Whether losses on held-out images mean something; a GAN's do not.
    validates = True
    # Whether `sample` draws from the distribution that training fitted the codes to.
    has_prior = True
    # The attributes that hold a user's own networks, which are saved with the model's config.
    own_networks: tuple[str, ...] = ()

    # The running mean of each metric, and what was not finite, from `compile` on.
    trackers: dict[str, keras.metrics.Mean] = {}
    failures: FirstFailure
    # What `compile` was told of `jit_compile` and `steps_per_execution`.
    execution: dict[str, Any] = {}

    @property
    def metric_kinds(self) -> dict[str, MetricKind]:
        """The name and meaning of each metric in the order shown, the optimizers' losses first."""
        raise NotImplementedError

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means that `fit` and `evaluate` show."""
        failures = [self.failures] if self.trackers else []
        return [*self.trackers.values(), *self.gradient_norms, *failures]

    def update_metrics(self, count: Any, **values: Any) -> None:
        """Add the means over a batch of `count` images to the running means."""
        for name, value in values.items():
            if name not in self.trackers:
                raise InputError(f"The metric {name!r} has no kind; add it to metric_kinds.")
            self.trackers[name].update_state(value, sample_weight=count)
        self.failures.update_state(values)

    def preprocess(self, images: Any) -> Any:
        """A batch as a float32 tensor in [0, 1]; its shape is checked while the step is traced."""
        check_batch_shape(images.shape, self.image_shape)
        return unit_range(ops.convert_to_tensor(images))

    def compute_losses(self, images: Any, labels: Any, training: bool) -> dict:
        """Every metric of a batch of images in [0, 1]; "loss" is the one to minimize."""
        raise NotImplementedError

    def training_step(self, images: Any, labels: Any = None) -> None:
        """Take one optimizer step on a batch and record its metrics."""
        images = self.preprocess(images)

        def loss():
            losses = self.compute_losses(images, labels, training=True)
            return losses["loss"], losses

        losses = self.minimize(loss, self.trainable_variables, self.optimizer)
        self.update_metrics(ops.shape(images)[0], **losses)

    def validation_step(self, images: Any, labels: Any = None) -> None:
        """Record the metrics of a batch."""
        images = self.preprocess(images)
        losses = self.compute_losses(images, labels, training=False)
        self.update_metrics(ops.shape(images)[0], **losses)

    @property
    def convolutional(self) -> bool:
        """Whether the networks have convolutions, which decides how they run fastest."""
        kinds = (keras.layers.Conv2D, keras.layers.Conv2DTranspose)
        return any(isinstance(layer, kinds) for layer in self._flatten_layers())

    def compile(
        self,
        optimizer: Any = None,
        *,
        cosine_decay: bool | None = None,
        gradient_norms: bool = False,
        jit_compile: bool | str | None = None,
        steps_per_execution: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Choose the optimizer.

        Args:
            optimizer: any form Keras takes; None for Adam with a learning rate of 2e-3.
            cosine_decay: decay the learning rate to zero over the epochs of `fit`, as half a
                cosine; by default only with the default optimizer.
            gradient_norms: log the mean norm of each optimizer's gradients, as `gradient_norm`.
            jit_compile, steps_per_execution: as in Keras; None for what is fastest here.
            **kwargs: Keras's further arguments.

        Raises:
            InputError: losses or metrics, as the model has its own; an optimizer that belongs to
                other weights; several devices of `tf.distribute`.
        """
        if strategy := strategy_over_devices(self):
            raise InputError(
                f"These models do not train under tf.distribute's {strategy}; build and compile "
                "them outside of its scope(), for one device."
            )
        for name in ("loss", "loss_weights", "metrics", "weighted_metrics"):
            if kwargs.get(name) is not None:
                raise InputError(
                    f"Got {name}={kwargs[name]!r}; a {type(self).__name__} has its own losses and "
                    "metrics: leave it out, or override the loss in a subclass."
                )
        # Here rather than in the constructor, so that metric_kinds may use a subclass's attributes.
        if not self.trackers:
            self.trackers = {
                name: keras.metrics.Mean(name, "float32") for name in self.metric_kinds
            }
            self.failures = FirstFailure(self.metric_kinds)
        self.cosine_decay = optimizer is None if cosine_decay is None else cosine_decay
        fastest = fastest_execution(device_name(), self.convolutional)
        self.most_steps_per_call = steps_per_execution or fastest["steps_per_execution"]
        self.gathering, self.steps_traced = {}, {}
        given = {"jit_compile": jit_compile, "steps_per_execution": steps_per_execution}
        self.execution = {name: value for name, value in given.items() if value is not None}
        super().compile(
            optimizer=keras.optimizers.Adam(2e-3) if optimizer is None else optimizer,
            jit_compile=fastest["jit_compile"] if jit_compile is None else jit_compile,
            steps_per_execution=self.most_steps_per_call,
            **kwargs,
        )
        if self.cosine_decay and any(follows_schedule(o) for o in self.optimizers):
            raise InputError(
                "Got cosine_decay=True and an optimizer whose learning rate follows a schedule; "
                "leave out one of the two."
            )
        self.build_optimizer()
        # The first metrics are the optimizers' losses.
        names = [name.removesuffix("loss") + "gradient_norm" for name in self.metric_kinds]
        pairs = zip(names, self.optimizers, strict=False)
        self.gradient_norms = [GradientNorm(*pair) for pair in pairs] if gradient_norms else []

    def build_optimizer(self) -> None:
        """Create the optimizers' variables."""
        for optimizer, weights in zip(self.optimizers, self.weights_moved, strict=True):
            build_optimizer(optimizer, weights)
        self.optimizer.built = True  # A pair of optimizers too.

    @without_tensorflow()
    def get_compile_config(self) -> dict | None:
        if not self.compiled:
            return None
        optimizers = [serialize_keras_object(optimizer) for optimizer in self.optimizers]
        return {
            "optimizers": optimizers,
            "cosine_decay": self.cosine_decay,
            "gradient_norms": bool(self.gradient_norms),
            **self.execution,
        }

    def compile_from_config(self, config: dict) -> None:
        optimizers = config.pop("optimizers", None) or [config.pop("optimizer")]  # of older files
        if to_device is None:
            config.pop("steps_per_execution", None)  # of a file from another backend
        self.compile(*optimizers, **config)

    def check_data(self, image_shape: Sequence[int]) -> None:
        """Raise an `InputError` unless the model takes images of this shape."""
        if tuple(image_shape) != self.image_shape:
            raise InputError(
                f"The data's images are {tuple(image_shape)}, this model takes {self.image_shape}; "
                "load one that was trained on such images, or train it."
            )

    @without_tensorflow()
    def get_config(self) -> dict:
        return {
            "image_shape": list(self.image_shape),
            "num_classes": self.num_classes,
            "seed": self.seed,
            "name": self.name,
            "dtype": serialize_keras_object(self.dtype_policy),
            **{name: serialize_keras_object(getattr(self, name)) for name in self.own_networks},
            **({"layers": changed} if (changed := self.layer_changes()) else {}),
        }

    @classmethod
    def from_config(cls, config: dict, custom_objects: dict | None = None) -> Self:
        # The precision and the user's own networks. Keras takes a network's config apart.
        revived = {
            name: deserialize_keras_object(copy.deepcopy(value), custom_objects)
            for name, value in config.items()
            if isinstance(value, dict) and "class_name" in value
        }
        model = cls(**{k: v for k, v in config.items() if k != "layers"} | revived)
        model.change_layers(**config.get("layers", {}))
        return model
