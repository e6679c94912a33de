"""A folder of results: its files are written beside it and moved in whole."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from common.errors import InputError

SPACE_FOR_PICTURES = 50_000_000
OTHER_FOLDER = "give another folder with --output"
OURS = (".keras", ".csv", ".json", ".png", ".gif")


class RunFolder:
    """`model.keras`, `history.csv`, `config.json`, `metrics.json` and pictures of one model.

    Args:
        path: where they are.
        origin: what the model comes from, such as its recipe; `config.json` holds it, with the
            names of the files that were made of the model.
        remedy: what errors advise where another model is there.
    """

    def __init__(
        self,
        path: Path,
        origin: dict[str, Any],
        remedy: str = f"{OTHER_FOLDER}, or train again and replace it with --retrain",
    ):
        self.path = path
        self.origin = json.loads(json.dumps(origin))
        self.remedy = remedy
        self.model = path / "model.keras"

    def check_no_model(self) -> None:
        """Refuse a folder that holds a trained model, whose results others would replace.

        Raises:
            InputError: it says so.
        """
        if self.model.exists():
            raise InputError(
                f"{self.path} holds a trained model, whose results these would replace; "
                f"{OTHER_FOLDER}."
            )

    def trained_model(self) -> Path | None:
        """The file of the model that was trained here from this origin, or None.

        Raises:
            InputError: the folder holds a model of another origin.
        """
        if not self.model.is_file():
            return None
        origin, _ = self._known()
        names = _differing(origin, self.origin)
        if names == ["data_content"]:
            changed = "image files of other names, sizes or times"
        else:
            changed = f"another recipe ({', '.join(names)})"
        if names:
            raise InputError(f"{self.path} holds a model of {changed}; {self.remedy}.")
        return self.model

    def metrics(self) -> dict[str, Any]:
        """The figures that are here already."""
        return self._read("metrics.json")

    @contextmanager
    def replacing(self) -> Iterator[Path]:
        """A new folder to write to, whose files replace the old ones when the block ends well.

        A new model replaces everything that was made of the old one. `config.json` goes first and
        comes last: while it is there, the results are whole.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path, prefix=".partial-") as staging:
            yield Path(staging)
            new = {path.name for path in Path(staging).iterdir()}
            origin, old = self._known()
            replaced = origin != self.origin or self.model.name in new
            stale, kept = (old - new, set()) if replaced else (set(), old)
            config = {**self.origin, "files": sorted(kept | new)}
            Path(staging, "config.json").write_text(json.dumps(config, indent=2) + "\n")
            for name in ("config.json", *stale):
                (self.path / name).unlink(missing_ok=True)
            for name in (*sorted(new), "config.json"):
                os.replace(Path(staging, name), self.path / name)

    def _known(self) -> tuple[dict[str, Any], set[str]]:
        """What the model that is here comes from, and the files that were made of it."""
        config = self._read("config.json")
        files = config.pop("files", [])
        # An edited list may name anybody's files.
        ours = isinstance(files, list) and all(isinstance(name, str) for name in files)
        plain = (name for name in files if Path(name).name == name) if ours else ()
        return config, {name for name in plain if name.endswith(OURS)}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads((self.path / name).read_text())
        except (FileNotFoundError, ValueError):
            content = None
        return content if isinstance(content, dict) else {}


def _differing(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """The names of what differs, within a value that is a dict too."""
    names = []
    for name in sorted(first | second):
        ours, theirs = first.get(name), second.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            names += _differing(ours, theirs)
        elif ours != theirs:
            names.append(name)
    return names


def check_writable(path: Path, model_bytes: int = 0) -> None:
    """Refuse a folder that cannot be written, or a full disk, before training.

    Raises:
        InputError: it says which.
    """
    # Create no folder yet; a later refusal would leave it empty.
    place = next(place for place in (path, *path.parents) if os.path.lexists(place))
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise InputError(
            f"The results cannot be written to {path} ({error.strerror}); {OTHER_FOLDER}."
        ) from error
    needed, free = model_bytes + SPACE_FOR_PICTURES, shutil.disk_usage(place).free
    if free < needed:
        raise InputError(
            f"The disk of {path} has {free / 1e6:.0f} MB free and the results may take "
            f"{needed / 1e6:.0f}; free some, or {OTHER_FOLDER}."
        )


def write_metrics(folder: Path, figures: dict[str, Any]) -> None:
    """Write `metrics.json`."""
    (folder / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
