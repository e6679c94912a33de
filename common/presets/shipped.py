"""The trained weights that come with the zoo: their files, digests, figures and licences."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from common.errors import InputError
from common.presets import get

FOLDER = Path(__file__).parent / "weights"
MANIFEST = FOLDER / "weights.json"


@dataclass(frozen=True)
class Weights:
    """A preset's trained weights.

    Attributes:
        name: of the file, without its ending.
        preset: whose model they are of.
        drop_class: the class that its training did not see, or None.
        recipe: digest of the preset that trained them; a preset that has changed since has none.
        sha256: digest of the file.
        command: which trained them.
        machine: that it ran on.
        train_seconds: that it took.
        data_licence: of the images it learned from.
        figures: measured with these weights on the test images, by the sections and names of
            docs/figures_schema.md.
    """

    name: str
    preset: str
    drop_class: int | None
    recipe: str
    sha256: str
    command: str
    machine: str
    train_seconds: float
    data_licence: str
    figures: dict[str, dict[str, Any]]

    @property
    def path(self) -> Path:
        """Their file."""
        return FOLDER / f"{self.name}.weights.h5"

    def checked(self) -> Path:
        """Their file, which is as it was shipped.

        Raises:
            InputError: it is missing or has changed.
        """
        try:
            found = digest(self.path)
        except OSError as error:
            raise InputError(
                f"The zoo's weights {self.path} cannot be read ({error.strerror}); install the zoo "
                "again, or train the model."
            ) from error
        if found != self.sha256:
            raise InputError(
                f"The zoo's weights {self.path} are not those it came with (sha256 {found[:12]}… "
                f"for {self.sha256[:12]}…); install the zoo again, or train the model."
            )
        return self.path


@cache
def all_weights() -> dict[str, Weights]:
    """All of them, by name."""
    rows = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    return {name: Weights(name, **row) for name, row in rows.items()}


def weights_of(preset: str, drop_class: int | None = None) -> Weights | None:
    """The weights of a preset, or None where the zoo has none."""
    for row in all_weights().values():
        if (row.preset, row.drop_class) == (preset, drop_class):
            return row if row.recipe == recipe_digest(preset) else None
    return None


def recipe_digest(preset: str) -> str:
    """A digest of what a preset trains, which is another after `presets.register`."""
    entry = {k: v for k, v in get(preset).items() if k not in ("about", "published")}
    return hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()[:16]


def digest(path: Path) -> str:
    """The sha256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
