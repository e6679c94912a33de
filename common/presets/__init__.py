"""Presets: a name → model, arguments, data and training recipe, as pure data."""

import copy
from difflib import get_close_matches

from common.errors import InputError
from common.presets.autoencoders import AUTOENCODERS
from common.presets.classifiers import CLASSIFIERS
from common.presets.entry import preset
from common.presets.gans import GANS

PRESETS: dict[str, dict] = {**AUTOENCODERS, **CLASSIFIERS, **GANS}

__all__ = ["PRESETS", "get", "names", "preset", "register"]


def names() -> list[str]:
    """The names of all presets."""
    return sorted(PRESETS)


def get(name: str) -> dict:
    """A copy of a preset: `model`, `arguments`, `data`, `compile`, `fit`, `about`.

    Some have `published`, others' figures by the names that docs/figures_schema.md explains.

    Raises:
        InputError: an unknown name.
    """
    if name not in PRESETS:
        near = get_close_matches(name, names(), 3, 0.5) or ["vae_mnist"]
        raise InputError(f"Preset {name!r} is unknown; nearest: {', '.join(near)}.")
    return copy.deepcopy(PRESETS[name])


def register(name: str, entry: dict) -> None:
    """Add a preset of your own, made by `preset`, or replace the one of that name."""
    PRESETS[name] = entry
