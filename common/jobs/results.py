"""A folder of results: written beside and moved in whole, so that old ones are never half gone."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from common.errors import InputError
from common.jobs.recipe import Recipe

SPACE_FOR_PICTURES = 50_000_000


class Results:
    """`model.keras`, `history.csv`, `config.json`, `metrics.json` and pictures of one recipe."""

    def __init__(self, folder: Path, recipe: Recipe):
        self.folder = folder
        self.recipe = recipe

    def check_writable(self, model_bytes: int = 0) -> None:
        """Refuse a folder that cannot be written, or a disk that is full, before training.

        Raises:
            InputError: it says which.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise InputError(
                f"The results cannot be written to {self.folder} ({error.strerror}); "
                "give another folder with --output."
            ) from error
        needed, free = model_bytes + SPACE_FOR_PICTURES, shutil.disk_usage(self.folder).free
        if free < needed:
            raise InputError(
                f"The disk of {self.folder} has {free / 1e6:.0f} MB free and the results may take "
                f"{needed / 1e6:.0f}; free some, or give another folder with --output."
            )

    def trained_model(self) -> Path | None:
        """The model file, if this very recipe was trained here to its end."""
        path = self.folder / "model.keras"
        return path if path.is_file() and self._read("config.json") == self._config() else None

    def metrics(self) -> dict:
        """The figures that are here already."""
        return self._read("metrics.json")

    @contextmanager
    def replacing(self) -> Iterator[Path]:
        """A new folder to write to; when the block has ended well, its files replace the old ones.

        `config.json` goes first and comes last: while it is there, the results are whole.
        """
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".partial-") as staging:
            yield Path(staging)
            config = Path(staging, "config.json")
            config.write_text(json.dumps(self._config(), indent=2) + "\n")
            (self.folder / "config.json").unlink(missing_ok=True)
            for path in sorted(Path(staging).iterdir(), key=lambda path: path == config):
                os.replace(path, self.folder / path.name)

    def _config(self) -> dict:
        return json.loads(json.dumps(asdict(self.recipe)))

    def _read(self, name: str) -> dict:
        try:
            return json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
