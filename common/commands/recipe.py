"""What to train: a preset, with the given options in place of its own."""

from dataclasses import dataclass
from typing import Any, Self

from common import presets, zoo


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what the trained model is: equal recipes train equal models.

    Attributes:
        preset: name of the preset it starts from.
        model: name of the class.
        data: name of the dataset, or the absolute path of a folder of images.
        data_options: arguments of the dataset.
        data_dir: where the data are read from, or None for their usual place.
        arguments: of the model's constructor, without the `image_shape`, which the data have;
            `num_classes=True` stands for the data's number.
        compile: arguments of `compile`.
        epochs: passes over the training images.
        batch_size: images per step.
        seed: of weights, noise and order.
        precision: name of a Keras dtype policy.
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
    def dataset(self) -> zoo.Dataset:
        """The row of its data."""
        return zoo.DATASETS.get(self.data) or zoo.DATASETS[zoo.FOLDER]

    @classmethod
    def of_preset(cls, name: str, data: str | None = None, **given: Any) -> Self:
        """A preset's recipe, with the given options in place of its own.

        Args:
            name: of the preset.
            data: another dataset than the preset's.
            **given: values of `zoo.OPTIONS`, by name.
        """
        preset = presets.get(name)
        options = preset["data"]
        own = options.pop("name")
        if data not in (None, own):
            # The number of images and the like belong to the preset's own data.
            options = {key: value for key, value in options.items() if key == "binarize"}
        values = {o.name: given.get(o.name, o.default) for o in zoo.OPTIONS.values()}
        chosen = {
            part: {
                option.name: values[option.name]
                for option in zoo.OPTIONS.values()
                if option.part == part and values[option.name] is not None
            }
            for part in ("model", "data")
        }
        place = chosen["data"].pop("data_dir", None)
        if chosen["data"].get("binarize") == "threshold":
            chosen["data"]["binarize"] = True
        if chosen["model"].pop("classifier", False):
            chosen["model"]["num_classes"] = True
        preset["arguments"].pop("image_shape", None)
        return cls(
            preset=name,
            model=preset["model"],
            data=data or own,
            data_options=options | chosen["data"],
            data_dir=place and str(place.expanduser().resolve()),
            arguments=preset["arguments"] | chosen["model"],
            compile=preset["compile"],
            epochs=values["epochs"] or preset["fit"]["epochs"],
            batch_size=values["batch_size"] or preset["fit"]["batch_size"],
            seed=values["seed"],
            precision=values["precision"],
        )
