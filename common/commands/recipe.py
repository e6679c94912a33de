"""What to train: a preset, with the given options in place of its own."""

from dataclasses import dataclass, replace
from typing import Any, Self

from common import presets, zoo
from common.errors import InputError
from common.presets.entry import Updates


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
        epochs: passes over the training images; 0 until `for_images`, if `updates` decide.
        updates: optimizer steps by the number of training images (`presets.entry.Updates`), or
            None.
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
    updates: Updates | None
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
        if values["lr"]:
            _change_rate(name, preset["compile"], values["lr"])
        return cls(
            preset=name,
            model=preset["model"],
            data=data or own,
            data_options=options | chosen["data"],
            data_dir=place and str(place.expanduser().resolve()),
            arguments=preset["arguments"] | chosen["model"],
            compile=preset["compile"],
            epochs=values["epochs"] or preset["fit"].get("epochs", 0),
            updates=None if values["epochs"] else preset["fit"].get("updates"),
            batch_size=values["batch_size"] or preset["fit"]["batch_size"],
            seed=values["seed"],
            precision=values["precision"],
        )

    def published(self) -> dict[str, Any]:
        """Others' figures for this recipe; none if it is not its preset's, whatever the seed."""
        own = type(self).of_preset(self.preset)
        own = replace(own, seed=self.seed, precision=self.precision, data_dir=self.data_dir)
        arguments = {k: v for k, v in self.arguments.items() if k != "num_classes"}
        same = replace(self, arguments=arguments) == own
        return presets.get(self.preset).get("published", {}) if same else {}

    def for_images(self, count: int) -> Self:
        """The recipe for `count` training images: its `updates` as whole epochs, at least one."""
        if self.updates is None:
            return self
        updates = next(steps for least, steps in reversed(self.updates) if count >= least)
        return replace(self, epochs=max(1, round(updates * self.batch_size / count)), updates=None)


def _change_rate(preset: str, compile_with: dict, rate: float) -> None:
    """Give the first optimizer this rate, and the others theirs in proportion."""
    configs = [value["config"] for value in compile_with.values() if isinstance(value, dict)]
    rates = [config.get("learning_rate") for config in configs]
    if not rates or not all(isinstance(known, float | int) for known in rates):
        raise InputError(f"Preset {preset!r} names no learning rate; leave out --lr.")
    for config, known in zip(configs, rates, strict=True):
        config["learning_rate"] = known * rate / rates[0]
