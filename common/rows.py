"""The kinds of rows in the zoo's tables."""

import math
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from common.errors import InputError


@dataclass(frozen=True)
class Row:
    """A name of the command line.

    Attributes:
        name: as it is typed.
        target: what it stands for: "module:attribute", imported when needed, or the object itself.
        about: what it is, in one line.
        options: names of the `OPTIONS` that only some models, modes or datasets take.
    """

    name: str
    target: Any
    about: str
    options: tuple[str, ...] = ()

    def load(self) -> Any:
        """What the name stands for."""
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        loaded = import_module(module)
        return getattr(loaded, attribute) if attribute else loaded


@dataclass(frozen=True)
class Model(Row):
    """A class of `common.models` or a subclass of one, and the modes that it has."""

    modes: tuple[str, ...] = ("gen",)

    @property
    def class_name(self) -> str:
        """The name of the class, as presets have it."""
        named = isinstance(self.target, str)
        return self.target.partition(":")[2] if named else self.target.__name__


@dataclass(frozen=True)
class Dataset(Row):
    """A subclass of `common.datasets.ImageData`.

    Attributes:
        alias: a second name, which its presets' names end with.
        verifier: the preset of the net that judges its samples, or None.
    """

    alias: str = ""
    verifier: str | None = None

    @property
    def suffix(self) -> str:
        """The end of its presets' names."""
        return self.alias or self.name


@dataclass(frozen=True)
class Mode(Row):
    """A module with `check(config, data)` and `run(config, model, data, verifier, folder)`."""


@dataclass(frozen=True)
class Option:
    """`--name` of the command line.

    Attributes:
        name: as the model, the dataset or `RunConfig` has it, with underscores.
        about: one line for `--help`.
        part: what it sets: "model" or "data", which take it as an argument; "training", the rest of
            the recipe; "run", a field of `RunConfig`.
        kind: the type of its value; bool for a switch.
        default: its value where it is not given; None leaves it to the recipe.
        least, most, above: the bounds of its value; it may not reach `above`.
        choices: the values it takes.
    """

    name: str
    about: str
    part: str
    kind: type = int
    default: Any = None
    least: float | None = None
    most: float | None = None
    above: float | None = None
    choices: tuple = ()

    @property
    def flag(self) -> str:
        """As it is typed."""
        return f"--{self.name.replace('_', '-')}"

    def check(self, value: Any) -> None:
        """Raise an `InputError` unless a value is within the bounds."""
        if value == Path():
            raise InputError(f"Got an empty {self.flag}; expected a path.")
        bounds = []
        fits = self.kind not in (int, float) or math.isfinite(value)
        for limit, word, holds in (
            (self.above, "above", lambda limit: value > limit),
            (self.least, "at least", lambda limit: value >= limit),
            (self.most, "at most", lambda limit: value <= limit),
        ):
            if limit is not None:
                bounds.append(f"{word} {limit:g}" if limit < 1e6 else f"{word} {limit:,}")
                fits = fits and holds(limit)
        if not fits:
            expected = " and ".join(bounds) or "a finite number"
            raise InputError(f"Got {self.flag} {value}; expected {expected}.")


@dataclass(frozen=True)
class Verb(Row):
    """A module with `run(**options)`, for a command that is not about a model and a mode.

    Attributes:
        takes: names of what it is given without a flag, and what they are; in [], if not needed.
        own: its options.
    """

    takes: tuple[tuple[str, str], ...] = ()
    own: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Score:
    """An anomaly score, higher for stranger images, and what it `needs`: "vae", "classifier"."""

    name: str
    about: str
    needs: str = ""
