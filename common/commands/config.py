"""A command line as a `RunConfig`: the only place that reads what was typed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from common import presets, zoo
from common.commands.recipe import Recipe
from common.datasets import is_folder
from common.errors import InputError

LONGEST_NAME = 60


@dataclass(frozen=True)
class RunConfig:
    """What one run does; built once, and never changed.

    Attributes:
        model, mode: as typed.
        recipe: of the model.
        folder: of the results.
        held_out: the class that `anom` leaves out, or "all".
        samples, tolerance, verifier, nll_samples, score, k, deterministic, profile, resume,
            retrain, weights: the options of the same names in `zoo.OPTIONS`.
    """

    model: str
    mode: str
    recipe: Recipe
    folder: Path
    held_out: int | str
    samples: int | None
    tolerance: float
    verifier: Path | None
    nll_samples: int
    score: str
    k: int
    deterministic: bool
    profile: Path | None
    resume: bool
    retrain: bool
    weights: Path | None

    @classmethod
    def of_options(cls, model: str, mode: str, data: str | None = None, **given: Any) -> Self:
        """The run that a command line asks for.

        Args:
            model, mode, data: names as typed; None for the preset's data, or MNIST.
            **given: the options that were given, by their names in `zoo.OPTIONS`.

        Raises:
            InputError: a name, a value, or a combination that cannot be used.
        """
        _check_names(model, mode, data)
        known = data or (
            presets.get(given["preset"])["data"]["name"] if "preset" in given else "mono"
        )
        row = zoo.dataset(known) or zoo.DATASETS[zoo.FOLDER]
        _check_options((model, mode, row.name), given)
        default, chosen = _preset_names(model, mode, row, given)
        if (made_for := presets.get(chosen)["model"]) != zoo.MODELS[model].class_name:
            raise InputError(f"Preset {chosen!r} is for {made_for}; {model} cannot use it.")
        data = row.name if row.name != zoo.FOLDER else str(Path(known).expanduser().resolve())
        recipe = Recipe.of_preset(chosen, data, **given)
        values = {
            option.name: given.get(option.name, option.default)
            for option in zoo.OPTIONS.values()
            if option.part == "run"
        }
        held_out = values["held_out"] = _held_out(values["held_out"])
        name = f"{model}-{Path(recipe.data).name}"
        if mode == "anom":
            name += f"-without-{held_out}"
        name += "-weights" if values["weights"] else _differences(recipe, given, default)
        folder = values.pop("output") or Path("results", name)
        config = cls(model=model, mode=mode, recipe=recipe, folder=folder, **values)
        return config.without(held_out) if mode == "anom" and isinstance(held_out, int) else config

    def without(self, held_out: int, folder: Path | None = None) -> Self:
        """The same with one class left out of training."""
        options = self.recipe.data_options | {"drop_class": held_out}
        recipe = replace(self.recipe, data_options=options)
        return replace(self, held_out=held_out, recipe=recipe, folder=folder or self.folder)


def _check_names(model: str, mode: str, data: str | None) -> None:
    if model not in zoo.MODELS:
        raise InputError(f"MODEL {model!r} is unknown; choose from {', '.join(zoo.MODELS)}.")
    if mode not in zoo.MODES:
        raise InputError(f"MODE {mode!r} is unknown; choose from {', '.join(zoo.MODES)}.")
    if mode not in (modes := zoo.MODELS[model].modes):
        able = [row.name for row in zoo.MODELS.values() if mode in row.modes]
        raise InputError(
            f"{model} cannot {zoo.MODES[mode].about}; its modes are {', '.join(modes)}. "
            f"Models with {mode}: {', '.join(able)}."
        )
    if data is None or (data != zoo.FOLDER and zoo.dataset(data)):
        return
    if not is_folder(data):
        known = ", ".join(name for name in zoo.DATASETS if name != zoo.FOLDER)
        raise InputError(
            f"DATA {data!r} is unknown; choose from {known}, or give the path of a folder of "
            "images."
        )
    if not Path(data).expanduser().is_dir():
        raise InputError(f"There is no folder {data}; give the path of a folder of images.")


def _check_options(typed: tuple[str, str, str], given: Mapping[str, Any]) -> None:
    model, mode, _ = typed
    for name, value in given.items():
        option = zoo.OPTIONS[name]
        owners = zoo.owners(name)
        if owners and not set(owners) & set(typed):
            raise InputError(f"{option.flag} is only for {', '.join(owners)}; leave it out.")
        if option.part in ("model", "training") and "weights" in given:
            raise InputError(
                f"{option.flag} changes how a model is trained, and --weights takes a trained "
                "one; leave out one of the two."
            )
        option.check(value)
    if "code" in given and "preset" in given:
        raise InputError("--preset names the whole recipe, with its code; leave out --code.")
    if mode == "anom" and "drop_class" in given:
        raise InputError("anom leaves out the class of --held-out; leave out --drop-class.")
    if given.get("held_out") == "all" and "weights" in given:
        raise InputError(
            "--held-out all trains a model for each class, and --weights gives one; name its class."
        )
    if len(ways := [name for name in ("resume", "retrain", "weights") if name in given]) > 1:
        raise InputError(
            f"--{ways[0]} and --{ways[1]} are two ways to get a model; leave out one of the two."
        )
    needs = zoo.SCORES[given.get("score", zoo.OPTIONS["score"].default)].needs
    if needs == "vae" and "nll_samples" not in zoo.MODELS[model].options:
        raise InputError(f"The score {given['score']} needs a VAE; {model} has no p(x).")


def _held_out(text: str) -> int | str:
    if text != "all" and not text.isdecimal():
        raise InputError(f"Got --held-out {text}; expected a class, counted from 0, or all.")
    return text if text == "all" else int(text)


def _preset_names(
    model: str, mode: str, row: zoo.Dataset, given: Mapping[str, Any]
) -> tuple[str, str]:
    """The names of the default preset, which may not exist, and of the chosen one."""
    default = plain = f"{model}_{row.suffix}"
    if mode == "anom" and f"{plain}_anomaly" in presets.PRESETS:
        default = f"{plain}_anomaly"
    chosen = given.get("preset", default)
    if given.get("code") == "map":
        chosen = f"{plain}_map"
    if default not in presets.PRESETS and "preset" not in given:
        own = [name for name in presets.names() if name.startswith(f"{model}_")]
        raise InputError(
            f"{model} has no recipe {default!r} for {row.name}; --preset NAME uses one of "
            f"{', '.join(own)}."
        )
    return default, chosen


def _differences(recipe: Recipe, given: Mapping[str, Any], default: str) -> str:
    """What the given options change in the default recipe, as the end of a folder's name."""
    parts = [f"preset={recipe.preset}"] if given.get("preset", default) != default else []
    parts += ["code=map"] if given.get("code") == "map" else []
    plain = Recipe.of_preset(recipe.preset, recipe.data)
    for name, value in sorted(given.items()):
        if Recipe.of_preset(recipe.preset, recipe.data, **{name: value}) != plain:
            shown = Path(value).name if isinstance(value, Path) else value
            parts.append(name if value is True else f"{name}={shown}")
    ending = "".join(f"-{part}" for part in parts)
    if len(ending) <= LONGEST_NAME:
        return ending
    digest = hashlib.sha256(ending.encode()).hexdigest()[:8]
    return f"{ending[: LONGEST_NAME - 9]}-{digest}"
