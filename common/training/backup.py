"""The state of a training in one file, from which it goes on as if it had never stopped."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import InputError
from common.files import locked, replacing

NAME = "training.npz"
FORMAT = 1
# What Keras's callbacks remember from epoch to epoch; the zoo's own name it in `kept`.
KEPT = {
    keras.callbacks.History: ("history", "epoch"),
    keras.callbacks.EarlyStopping: ("wait", "best", "best_epoch", "best_weights"),
    keras.callbacks.ModelCheckpoint: ("best",),
    keras.callbacks.ReduceLROnPlateau: ("best", "wait", "cooldown_counter"),
}


@contextmanager
def in_use(folder: Path | None) -> Iterator[None]:
    """Keep other trainings out of a folder, which is made if it is missing.

    Raises:
        InputError: another one uses it, or it cannot be made.
    """
    if folder is None:
        yield
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be made ({error.strerror}); give another one."
        ) from error
    with locked(folder / ".lock", f"{folder}; wait for it, or give another"):
        yield


def write_backup(folder: Path, facts: dict[str, Any], values: Sequence[np.ndarray]) -> None:
    """Write the arrays of a model's state, and facts: numbers, text, arrays, lists and dicts."""
    arrays: dict[str, Any] = {f"state{k}": value for k, value in enumerate(values)}
    text = json.dumps({"format": FORMAT, "facts": _packed(facts, arrays)})
    arrays["facts"] = np.frombuffer(text.encode(), np.uint8)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / NAME) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)
        file.flush()


def read_backup(folder: str | Path) -> tuple[dict[str, Any], list[np.ndarray]] | None:
    """What `write_backup` wrote, or None if there is nothing.

    Raises:
        InputError: a damaged backup, or one of a newer version of the zoo.
    """
    path = Path(folder, NAME)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        content = json.loads(arrays.pop("facts").tobytes())
        newer = content["format"] > FORMAT
        facts = None if newer else _unpacked(content["facts"], arrays)
    except FileNotFoundError:
        return None
    except Exception as error:  # The readers of zip, NumPy and JSON raise almost any type.
        raise InputError(
            f"The backup {path} is damaged ({error}); remove it to start the training again."
        ) from error
    if facts is None:
        raise InputError(f"{path} was written by a newer version of the zoo; update this one.")
    return facts, [arrays[f"state{k}"] for k in range(sum(n.startswith("state") for n in arrays))]


def memory_of(callback: keras.callbacks.Callback) -> dict[str, Any]:
    """What a callback remembers, by the names of its attributes."""
    return {name: getattr(callback, name, None) for name in _kept(callback)}


def remind(callback: keras.callbacks.Callback, memory: dict[str, Any]) -> None:
    """Give a callback its memory back."""
    for name in _kept(callback):
        if memory.get(name) is not None:
            setattr(callback, name, memory[name])


def _kept(callback: keras.callbacks.Callback) -> Sequence[str]:
    kept = next((names for kind, names in KEPT.items() if isinstance(callback, kind)), ())
    return getattr(callback, "kept", kept)


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """`value` as JSON, with its arrays put into `arrays`."""
    if isinstance(value, dict):
        return {"dict": [[key, _packed(part, arrays)] for key, part in value.items()]}
    if isinstance(value, list | tuple):
        return [_packed(part, arrays) for part in value]
    if isinstance(value, np.ndarray) and value.ndim:
        name = f"array{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value)


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, list):
        return [_unpacked(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    return {key: _unpacked(part, arrays) for key, part in value["dict"]}
