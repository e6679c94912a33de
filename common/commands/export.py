"""`export`: the networks of a trained model for programs without Keras."""

import warnings
from pathlib import Path

import keras
import numpy as np

from common.commands.run_folder import check_writable
from common.commands.sample import trained_model
from common.errors import InputError
from common.models import AE, ImageClassifier
from common.models.base import ImageModel
from common.models.gan import GAN

# Keras's name of each format, and how its files end.
FORMATS = {"onnx": ("onnx", ".onnx"), "savedmodel": ("tf_saved_model", "")}


def run(preset: str, format: str, output: Path | None) -> None:
    """Write each network of a model as a file or folder of its own, and say what it takes.

    Args:
        preset: name of a preset that has weights, or the path of a `.keras` file.
        format: of `FORMATS`.
        output: folder for them; by default `exported/PRESET`.

    Raises:
        InputError: there is no such model, or a package is missing.
    """
    model = trained_model(preset)
    folder = output or Path("exported", Path(preset).stem)
    check_writable(folder)
    folder.mkdir(parents=True, exist_ok=True)
    kind, ending = FORMATS[format]
    for name, network in networks_of(model).items():
        path = folder / f"{name}{ending}"
        network(np.zeros((1, *network.input_shape[1:]), "float32"))  # Keras exports called ones.
        try:
            with warnings.catch_warnings(action="ignore"):  # of the packages that write the files
                network.export(path, format=kind, verbose=False)
        except ImportError as error:
            raise InputError(
                f"{format} needs a package that is missing ({error}); install the extra with "
                'pip install -e ".[export]".'
            ) from error
        takes, gives = network.inputs[0].shape, [tuple(o.shape) for o in network.outputs]
        print(f"{path}: {tuple(takes)} → {', '.join(map(str, gives))}")


def networks_of(model: ImageModel) -> dict[str, keras.Model]:
    """The networks that a program can use, by name: images in [0, 1], codes, probabilities."""
    if isinstance(model, GAN):
        generator = model.ema_generator or model.generator
        return {"generator": ending_in(generator, keras.layers.Rescaling(0.5, 0.5))}
    if isinstance(model, ImageClassifier):
        return {"classifier": ending_in(model.network, keras.layers.Softmax())}
    assert isinstance(model, AE)
    found = {
        "encoder": model.encoder,
        "decoder": ending_in(model.decoder, keras.layers.Activation("sigmoid")),
    }
    if model.classifier:
        found["classifier"] = ending_in(model.classifier, keras.layers.Softmax())
    return found


def ending_in(network: keras.Model, layer: keras.Layer) -> keras.Model:
    """The network, with one more layer."""
    return keras.Model(network.input, layer(network.output))
