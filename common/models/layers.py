"""A model's layers: born of its precision and seed, then frozen, quantized or exported by users."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from keras.saving import deserialize_keras_object, serialize_keras_object

from common.errors import InputError
from common.training.gan_optimizer import moves
from common.training.precision import precision


class LayeredModel(keras.Model):
    """A Keras model that knows what users did to its layers."""

    # The shape of what a call takes, without N; None for images.
    call_shape: tuple[int, ...] | None = None
    # Of a `Trainer`.
    seed: int | None
    image_shape: tuple[int, int, int]
    optimizers: Sequence[keras.optimizers.Optimizer]

    @contextmanager
    def new_layers(self) -> Iterator[None]:
        """Within the block, new layers take the model's policy; weights and dropout its seed.

        Without a seed these take what `keras.utils.set_random_seed` leaves, or chance.
        """
        with precision(self.dtype_policy):
            if self.seed is None:
                yield
                return
            # Keras draws the seeds of initializers and Dropout from Python's global generator.
            before = random.getstate()
            random.seed(self.seed)
            try:
                yield
            finally:
                random.setstate(before)

    @property
    def weights_moved(self) -> list[list[keras.Variable]]:
        """The weights that each of the `optimizers` moves."""
        return [self.trainable_variables]

    def minimize(self, loss: Callable, variables: Sequence, optimizer: Any) -> Any:
        """`StepModel.minimize`; nothing is minimized where all weights are frozen."""
        return super().minimize(loss, variables, optimizer) if variables else loss()[1]

    def make_train_function(self, force: bool = False) -> None:
        """Keras's train function, unless the weights to move are others than at `compile`."""
        # Keras would go on with a compiled step, or fail.
        if not all(map(moves, self.optimizers, self.weights_moved)):
            raise InputError("Layers were frozen or freed after compile(): call compile() again.")
        super().make_train_function(force)

    def quantize(self, mode: Any = None, config: Any = None, **kwargs: Any) -> None:
        """Keras's `quantize` to "int8", for all verbs and the file; the optimizers start again.

        Raises:
            InputError: another mode.
        """
        wanted = mode or getattr(config, "mode", None)
        if wanted != "int8":
            raise InputError(f'Got the mode {wanted!r}; these models are quantized to "int8" only.')
        super().quantize(mode, config=config, **kwargs)
        # Keras compiles what a verb runs once, with the weights of then.
        for network in vars(self).values():
            if isinstance(network, keras.Model):
                network.predict_function = None
        if self.compiled:
            self.compile_from_config(self.get_compile_config())

    def export(
        self,
        filepath: str | Path,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Keras's `export` of a call; it takes float32 unless another signature is given.

        Raises:
            InputError: this backend, or what is installed, cannot write the format.
        """
        if input_signature is None:
            taken = self.call_shape or self.image_shape
            input_signature = [keras.InputSpec("float32", (None, *taken))]
        try:
            super().export(filepath, format, verbose, input_signature, **kwargs)
        except Exception as error:  # Each backend's exporter raises errors of its own.
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise InputError(
                f"Keras cannot export to {format} here ({reason}); change that, or save the model "
                "and export it on another backend."
            ) from error

    def layer_changes(self) -> dict[str, list]:
        """The frozen and the quantized layers, by their places, as plain values; {} for none."""
        layers = self._flatten_layers()
        found = {
            "frozen": [k for k, layer in enumerate(layers) if not layer.trainable],
            "quantized": [
                [k, layer.quantization_mode, serialize_keras_object(layer.quantization_config)]
                for k, layer in enumerate(layers)
                if layer.quantization_mode
            ],
        }
        return {name: places for name, places in found.items() if places}

    def change_layers(self, frozen: Sequence = (), quantized: Sequence = ()) -> None:
        """Freeze and quantize the layers that `layer_changes` found."""
        layers = self._flatten_layers()
        for k, mode, config in quantized:
            if not layers[k].quantization_mode:  # A network of one's own has done so itself.
                layers[k].quantize(mode, type_check=False, config=deserialize_keras_object(config))
        # A network precedes its layers, which take its state and may then have their own.
        for k, layer in enumerate(layers):
            if layer.trainable == (k in frozen):
                layer.trainable = not layer.trainable
