"""A folder of results: written beside and moved in whole, so that old ones are never half gone."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import InputError

SPACE_FOR_PICTURES = 50_000_000


class Results:
    """`model.keras`, `history.csv`, `config.json`, `metrics.json` and pictures of one model.

    Args:
        folder: where they are.
        origin: what the model comes from, a recipe for example, as JSON has it. `config.json`
            holds it with the names of the files that were made of the model.
        remedy: what errors say helps where the folder cannot be used.
    """

    def __init__(
        self, folder: Path, origin: dict, remedy: str = "give another folder with --output"
    ):
        self.folder = folder
        self.origin = json.loads(json.dumps(origin))
        self.remedy = remedy

    def check_writable(self, model_bytes: int = 0) -> None:
        """Refuse a folder that cannot be written, or a disk that is full, before training.

        Raises:
            InputError: it says which.
        """
        # What is refused later on shall leave no empty folder behind.
        places = (self.folder, *self.folder.parents)
        place = next(path for path in places if os.path.lexists(path))
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            raise InputError(
                f"The results cannot be written to {self.folder} ({error.strerror}); {self.remedy}."
            ) from error
        needed, free = model_bytes + SPACE_FOR_PICTURES, shutil.disk_usage(place).free
        if free < needed:
            raise InputError(
                f"The disk of {self.folder} has {free / 1e6:.0f} MB free and the results may take "
                f"{needed / 1e6:.0f}; free some, or {self.remedy}."
            )

    def check_no_model(self) -> None:
        """Refuse a folder in which a trained model's results are, which others would replace.

        Raises:
            InputError: it says so.
        """
        if (self.folder / "model.keras").exists():
            raise InputError(
                f"{self.folder} holds a trained model, whose results these would replace; "
                f"{self.remedy}."
            )

    def trained_model(self) -> Path | None:
        """The model file, if a model of this very origin was trained here to its end."""
        path = self.folder / "model.keras"
        return path if path.is_file() and self._known()[0] == self.origin else None

    def metrics(self) -> dict:
        """The figures that are here already."""
        return self._read("metrics.json")

    @contextmanager
    def replacing(self) -> Iterator[Path]:
        """A new folder to write to; when the block has ended well, its files replace the old ones.

        What was made of another model, or of this one before it was trained anew, is removed.
        `config.json` goes first and comes last: while it is there, the results are whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".partial-") as staging:
            yield Path(staging)
            new = {path.name for path in Path(staging).iterdir()}
            origin, old = self._known()
            if origin != self.origin or "model.keras" in new:
                stale, kept = old - new, set()
            else:
                stale, kept = set(), old
            config = {**self.origin, "files": sorted(kept | new)}
            Path(staging, "config.json").write_text(json.dumps(config, indent=2) + "\n")
            for name in ("config.json", *stale):
                (self.folder / name).unlink(missing_ok=True)
            for name in (*sorted(new), "config.json"):
                os.replace(Path(staging, name), self.folder / name)

    def _known(self) -> tuple[dict, set[str]]:
        """What the model that is here comes from, and the files that were made of it."""
        config = self._read("config.json")
        files = config.pop("files", [])
        # A file of that name may be anybody's, and no other folder's files are ours to remove.
        ours = isinstance(files, list) and all(isinstance(name, str) for name in files)
        return config, {name for name in files if Path(name).name == name} if ours else set()

    def _read(self, name: str) -> dict:
        try:
            content = json.loads((self.folder / name).read_text())
        except (FileNotFoundError, ValueError):
            content = None
        return content if isinstance(content, dict) else {}
