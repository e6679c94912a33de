"""A folder of results: written beside and moved in whole, so that old ones are never half gone."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import InputError

SPACE_FOR_PICTURES = 50_000_000
OTHERS = "other-recipes"


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
        """The model file, if a model of this very origin was trained here to its end.

        If another's results took its place, they change places again.
        """
        origin, files = self._known()
        put_by = self._place_for(self.origin)
        if origin != self.origin and (put_by / "model.keras").is_file():
            if origin:
                _move(files, self.folder, self._place_for(origin))
            _move({path.name for path in put_by.iterdir()}, put_by, self.folder)
            put_by.rmdir()
            origin = self.origin
        path = self.folder / "model.keras"
        return path if path.is_file() and origin == self.origin else None

    def metrics(self) -> dict:
        """The figures that are here already."""
        return self._read("metrics.json")

    @contextmanager
    def replacing(self) -> Iterator[Path]:
        """A new folder to write to; when the block has ended well, its files replace the old ones.

        What was made of this model before it was trained anew is removed; the results of a trained
        model of another origin are put by in `other-recipes`. `config.json` goes first and comes
        last: while it is there, the results are whole.
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
            if origin != self.origin and "model.keras" in old:
                _move(old, self.folder, self._place_for(origin))
            if "model.keras" in new:
                shutil.rmtree(self._place_for(self.origin), ignore_errors=True)
            for name in ("config.json", *stale):
                (self.folder / name).unlink(missing_ok=True)
            for name in (*sorted(new), "config.json"):
                os.replace(Path(staging, name), self.folder / name)

    def _place_for(self, origin: dict) -> Path:
        """Where results of this origin are kept while others are in the folder."""
        digest = hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()
        return self.folder / OTHERS / digest[:12]

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


def _move(names: set[str], source: Path, target: Path) -> None:
    """Move `config.json`, first out of a folder and last into one, and those of `names` there."""
    target.mkdir(parents=True, exist_ok=True)
    # By renaming alone, which a full disk does not stop.
    os.replace(source / "config.json", target / ".config.json")
    for name in sorted(names - {"config.json"}):
        if (source / name).is_file():
            os.replace(source / name, target / name)
    os.replace(target / ".config.json", target / "config.json")
