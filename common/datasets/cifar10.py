"""CIFAR-10: 60,000 small colour photographs in ten classes."""

import pickle
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from common.datasets.base import ImageData, Split
from common.datasets.files import NEED_NO_DOWNLOAD, cached_file, read_npz, reading
from common.errors import InputError

SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"

_FOLDER = "cifar-10-batches-py"
_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")


@dataclass(eq=False)
class CIFAR10Data(ImageData):
    """CIFAR-10: 50,000 training and 10,000 test photographs.

    Images uint8 (N, 32, 32, 3), RGB; labels 0 … 9 as in `class_names`. The archive is that of
    `keras.datasets.cifar10`, downloaded once into the same place in Keras's cache (`KERAS_HOME`, by
    default ~/.keras) with its hash checked. `data_dir` names another source: an .npz with the
    arrays x_train, y_train, x_test and y_test, the archive `cifar-10-python.tar.gz`, the folder
    `cifar-10-batches-py`, or a folder with one of these in it.

    A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009).
    """

    data_dir: str | Path | None = None

    name: ClassVar[str] = "cifar10"
    class_names: ClassVar[tuple[str, ...]] = (
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    )
    image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 3)

    def read(self) -> tuple[Split, Split]:
        """The arrays of the archive, or of what `data_dir` names."""
        if self.data_dir is None:
            path = cached_file(
                # The name that Keras's own loader gives it, so that there is one of it.
                "cifar-10-batches-py-target_archive",
                "datasets",
                "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
                SHA256,
            )
        else:
            path = _local(Path(self.data_dir).expanduser())
        self.origin = str(path)
        if path.suffix == ".npz":
            arrays = read_npz(path, ("x_train", "y_train", "x_test", "y_test"))
            x_train, y_train, x_test, y_test = arrays
            return (x_train, _flat(y_train)), (x_test, _flat(y_test))
        with reading(path):
            batches = _folder_batches(path) if path.is_dir() else _archive_batches(path)
            if missing := [name for name in _BATCHES if name not in batches]:
                raise ValueError(f"it has no {', '.join(missing)}")
        *train, test = (batches[name] for name in _BATCHES)
        images, labels = zip(*train, strict=True)
        return (np.concatenate(images), np.concatenate(labels)), test


def _local(path: Path) -> Path:
    """The file or folder that `data_dir` means."""
    if path.is_file() or path.name == _FOLDER:
        return path
    found = [path / name for name in (_FOLDER, "cifar-10-python.tar.gz") if (path / name).exists()]
    found += sorted(path.glob("*.npz"))
    if len(found) == 1 or (found and found[0].suffix != ".npz"):
        return found[0]
    problem = f"{len(found)} .npz files in" if found else f"no {_FOLDER}, .tar.gz or .npz in"
    raise InputError(
        f"There are {problem} {path}: give the path of the one file as data_dir=, or get "
        "`cifar-10-python.tar.gz`, CIFAR-10 for Python, from Alex Krizhevsky's page The CIFAR-10 "
        f"dataset. {NEED_NO_DOWNLOAD}"
    )


def _folder_batches(folder: Path) -> dict[str, Split]:
    batches = {}
    for path in (folder / name for name in _BATCHES):
        if path.exists():
            with path.open("rb") as file:
                batches[path.name] = _batch(path.name, file)
    return batches


def _archive_batches(path: Path) -> dict[str, Split]:
    """The batches in the order of the archive, which can only be unpacked from its start."""
    batches = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                if name in _BATCHES and member.isfile():
                    batches[name] = _batch(name, archive.extractfile(member))
    except tarfile.TarError as error:
        raise ValueError(str(error)) from None
    return batches


def _batch(name: str, file: BinaryIO) -> Split:
    try:
        batch = _Arrays(file, encoding="bytes").load()
        images, labels = batch[b"data"], np.array(batch[b"labels"])
        # One plane after another: red, green, blue.
        return np.ascontiguousarray(images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels
    # What a damaged pickle raises may be anything.
    except Exception as error:
        raise ValueError(f"{name} is no batch of CIFAR-10 ({error})") from None


class _Arrays(pickle.Unpickler):
    """Reads arrays, lists and bytes; whatever else a pickle may hold could run code."""

    def find_class(self, module: str, name: str) -> Any:
        rebuild = np.empty(0).__reduce__()[0]
        known = {"ndarray": np.ndarray, "dtype": np.dtype, "_reconstruct": rebuild}
        if module.split(".")[0] != "numpy" or name not in known:
            raise pickle.UnpicklingError(f"it holds a {module}.{name}")
        return known[name]


def _flat(labels: np.ndarray) -> np.ndarray:
    """Labels (N, 1), as Keras shapes them, as (N,)."""
    return labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
