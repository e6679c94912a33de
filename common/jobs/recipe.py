"""What to train: a preset, with the command line's choices put over it."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from common import presets
from common.cli import MODELS
from common.datasets import DATASETS
from common.errors import InputError

PRESET_SUFFIX = {"mono": "mnist"}
OWN_IMAGES = "folder"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the trained model is; two equal recipes train the same model.

    Attributes:
        preset: the name of the preset that it started from.
        model: the class.
        data: the data's name, or the whole path of a folder.
        data_options: arguments of the dataset.
        data_dir: where the data are read from, or None for their usual place.
        arguments: of the model's constructor but for the `image_shape`, which is the data's;
            `num_classes` is True for those of the data.
        compile: arguments of `compile`.
        epochs: passes over the training images.
        batch_size: images per step.
        seed: of weights, noise and order.
        precision: a Keras dtype policy's name.
    """

    preset: str
    model: str
    data: str
    data_options: dict
    data_dir: str | None
    arguments: dict
    compile: dict
    epochs: int
    batch_size: int
    seed: int
    precision: str

    @property
    def data_name(self) -> str:
        """The data's name, of one's own images that of their folder."""
        return Path(self.data).name


def arguments_of(preset: dict) -> dict:
    """The arguments of a preset's model but for the `image_shape`."""
    return {key: value for key, value in preset["arguments"].items() if key != "image_shape"}


def recipe_of(arguments: argparse.Namespace) -> Recipe:
    """The recipe that a command line asks for.

    Raises:
        InputError: an unknown preset, or no recipe of this model for this data.
    """
    if arguments.preset:
        name = arguments.preset
        data = arguments.data or presets.get(name)["data"]["name"]
    else:
        data = arguments.data or "mono"
        suffix = PRESET_SUFFIX.get(data, data) if data in DATASETS else OWN_IMAGES
        name = f"{arguments.model}_{suffix}"
        if arguments.code == "map":
            name += "_map"
        if arguments.mode == "anom" and f"{name}_anomaly" in presets.names():
            name += "_anomaly"
        if name not in presets.names():
            suited = [known for known in presets.names() if known.startswith(f"{arguments.model}_")]
            raise InputError(
                f"There is no recipe of {arguments.model} for {data}; the recipes of "
                f"{arguments.model} are {', '.join(suited)}, and --preset NAME puts one on {data}."
            )
    preset = presets.get(name)
    model = MODELS[arguments.model][0]
    if preset["model"] != model:
        raise InputError(f"Preset {name!r} is for {preset['model']}, not {model}.")
    if data not in DATASETS:
        data = str(Path(data).expanduser().resolve())
    changed = {
        name: getattr(arguments, name) for name in ("latent_dim", "beta", "pack", "label_smoothing")
    }
    options = preset["data"]
    if options.pop("name") != data:
        # Of a preset that is put on other data, their number and the like are not meant.
        options = {key: value for key, value in options.items() if key == "binarize"}
    options["data_fraction"] = arguments.data_fraction
    dropped = arguments.drop_class
    if arguments.mode == "anom" and arguments.held_out != "all":
        dropped = arguments.held_out
    given = {
        "binarize": {"threshold": True}.get(arguments.binarize, arguments.binarize),
        "drop_class": dropped,
        "num_images": arguments.num_images,
        "size": arguments.size,
        "channels": arguments.channels,
        "fit": arguments.fit,
        "boxes": arguments.boxes or None,
    }
    options |= {key: value for key, value in given.items() if value is not None}
    if arguments.classifier:
        changed["num_classes"] = True
    return Recipe(
        preset=name,
        model=model,
        data=data,
        data_options=options,
        data_dir=arguments.data_dir and str(arguments.data_dir.expanduser().resolve()),
        arguments={
            **arguments_of(preset),
            **{key: value for key, value in changed.items() if value is not None},
        },
        compile=preset["compile"],
        epochs=arguments.epochs or preset["fit"]["epochs"],
        batch_size=arguments.batch_size or preset["fit"]["batch_size"],
        seed=arguments.seed,
        precision=arguments.precision,
    )
