"""A folder of results: its files are written beside it and moved in whole."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from common.errors import InputError
from common.files import PARTIAL, flush, locked, remove_partial, replacing
from common.training.backup import NAME as BACKUP

SPACE_FOR_PICTURES = 50_000_000
OTHER_FOLDER = "give another folder with --output"
PICTURES = (".png", ".gif")
OURS = (".keras", ".csv", ".json", *PICTURES)
FORMAT = 2
# Files that are whole and only have to be moved in.
READY = ".ready"


class RunFolder:
    """The model, its history, config, figures, times and pictures.

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
        self.backup = path / "backup"

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep other runs out of the folder, and put right what a killed one has left.

        Raises:
            InputError: another process uses it.
        """
        missing = [place for place in (self.path, *self.path.parents) if not place.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            with locked(self.path / ".lock", f"{self.path}; wait for it, or {OTHER_FOLDER}"):
                remove_partial(self.path)
                self._move_in()
                yield
        finally:
            # Leave no empty folder behind.
            with suppress(OSError):
                for place in missing:
                    place.rmdir()

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
        self._check_same(origin, "a model", self.remedy)
        return self.model

    def check_backup(self, resume: bool) -> None:
        """Look for a training that was stopped here; with `resume` the next one goes on from it.

        Raises:
            InputError: there is one, and `resume` is false; or it is another recipe's.
        """
        if not self.has_backup():
            return
        if not resume:
            raise InputError(
                f"A training was stopped in {self.path}; go on with --resume, or start again with "
                "--retrain."
            )
        known = self._read("backup/origin.json")
        self._check_same(
            known, "the stopped training", f"start again with --retrain, or {OTHER_FOLDER}"
        )

    def has_backup(self) -> bool:
        """Whether the state of a training is here."""
        return (self.backup / BACKUP).exists()

    def begin_backup(self) -> Path:
        """The folder for the state of a training."""
        self.backup.mkdir(parents=True, exist_ok=True)
        with replacing(self.backup / "origin.json") as partial:
            partial.write_text(json.dumps(self.origin) + "\n")
        return self.backup

    def drop_backup(self) -> None:
        """Remove the state of a training."""
        shutil.rmtree(self.backup, ignore_errors=True)

    def figures(self) -> dict[str, dict[str, Any]]:
        """The figures of this origin that are here already, by section, or none."""
        if _differing(self._known()[0], self.origin):
            return {}
        known = self._read("metrics.json")
        return {name: part for name, part in known.items() if isinstance(part, dict)}

    def has_other_results(self) -> bool:
        """Whether what is here was made from another origin."""
        origin, files = self._known()
        return bool(files and _differing(origin, self.origin))

    def times(self) -> dict[str, Any]:
        """How long the training took, or nothing."""
        return self._read("timing.json")

    def pictures(self) -> list[str]:
        """The names of the pictures that were made of the model."""
        return sorted(name for name in self._known()[1] if name.endswith(PICTURES))

    @contextmanager
    def replacing(self) -> Iterator[Path]:
        """A new folder to write to, whose files replace the old ones when the block ends well.

        A new model replaces everything that was made of the old one.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.path, prefix=PARTIAL) as partial:
            staging = Path(partial, "new")
            staging.mkdir()
            yield staging
            new = {path.name for path in staging.iterdir()}
            origin, old = self._known()
            replaced = _differing(origin, self.origin) or self.model.name in new
            files = sorted(new if replaced else old | new)
            config = {**self.origin, "format": FORMAT, "files": files}
            (staging / "config.json").write_text(json.dumps(config, indent=2) + "\n")
            for path in (*staging.iterdir(), staging):
                flush(path)
            # From here on a killed run is completed by the next one.
            os.replace(staging, self.path / READY)
            self._move_in()

    def _move_in(self) -> None:
        """Move what is ready to its place, `config.json` last: then the results are whole."""
        ready = self.path / READY
        if not ready.is_dir():
            return
        config = ready / "config.json"
        files = self._read(f"{READY}/config.json").get("files")
        if isinstance(files, list):
            for name in self._known()[1] - {*map(str, files)}:
                (self.path / name).unlink(missing_ok=True)
            for path in sorted(ready.iterdir(), key=lambda path: path == config):
                os.replace(path, self.path / path.name)
        flush(self.path)
        shutil.rmtree(ready)  # Empty, unless its config was damaged.

    def _check_same(self, origin: dict[str, Any], what: str, remedy: str) -> None:
        names = _differing(origin, self.origin)
        content = names == ["data_content"]
        recipe = f"another recipe ({', '.join(names)})"
        changed = "other data files under the same path" if content else recipe
        if names:
            raise InputError(f"{self.path} holds {what} of {changed}; {remedy}.")

    def _known(self) -> tuple[dict[str, Any], set[str]]:
        """What the model that is here comes from, and the files that were made of it."""
        config = self._read("config.json")
        written = config.pop("format", 1)
        if not isinstance(written, int) or written > FORMAT:
            raise InputError(
                f"{self.path} was written by a newer version of the zoo; update this one, or "
                f"{OTHER_FOLDER}."
            )
        files = config.pop("files", [])
        # An edited list may name anybody's files.
        ours = isinstance(files, list) and all(isinstance(name, str) for name in files)
        plain = (name for name in files if Path(name).name == name) if ours else ()
        return config, {name for name in plain if name.endswith(OURS)}

    def _read(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads((self.path / name).read_text())
        except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
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


def write_figures(path: Path, figures: dict[str, Any]) -> None:
    """Write figures as JSON."""
    path.write_text(json.dumps(figures, indent=2) + "\n")
