"""A model's file: whole or absent, with all that a training goes on from, and safe to load."""

import io
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path, PurePosixPath
from threading import get_ident
from typing import Any, Self
from zipfile import ZipFile

import h5py
import keras
import numpy as np
from keras import ops

from common.errors import InputError
from common.files import replacing
from common.lazy_tensorflow import without_tensorflow
from common.training.guards import non_finite_weight

WEIGHTS = "model.weights.h5"
RANDOM = (
    keras.initializers.VarianceScaling,
    keras.initializers.RandomNormal,
    keras.initializers.RandomUniform,
    keras.initializers.TruncatedNormal,
    keras.initializers.Orthogonal,
)


class SavedModel(keras.Model):
    """A Keras model whose files also hold the state of its random numbers and orders."""

    # Of a `Trainer`.
    order: tuple[int, int] | None
    undecayed_rates: list[float] | None

    def save(self, filepath: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
        """Keras's `save`, whose file takes the place of an older one once it is whole."""
        _check_free(filepath, overwrite)
        with replacing(filepath) as partial, without_tensorflow():
            super().save(partial, **kwargs)

    def save_weights(self, filepath: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
        """Keras's `save_weights`, whose file takes the place of an older one once it is whole."""
        _check_free(filepath, overwrite)
        if kwargs.get("max_shard_size"):
            super().save_weights(filepath, **kwargs)
            return
        with replacing(filepath) as partial:
            super().save_weights(partial, **kwargs)

    def load_weights(self, filepath: str | Path, *args: Any, **kwargs: Any) -> None:
        """Keras's `load_weights`; nothing is loaded of a file that is damaged or holds NaN.

        Raises:
            InputError: it says why.
        """
        before = [np.array(ops.convert_to_numpy(weight)) for weight in self.weights]
        try:
            super().load_weights(filepath, *args, **kwargs)
            if (weight := non_finite_weight(self)) is not None:
                raise ValueError(f"{weight} is NaN or infinite")
        except Exception as error:  # Keras and HDF5 raise almost any type for damaged files.
            for weight, value in zip(self.weights, before, strict=True):
                weight.assign(value)
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise InputError(
                f"{filepath} could not be read as weights of this model ({reason}); give the file "
                "that save_weights() wrote."
            ) from error

    @classmethod
    @without_tensorflow()
    def load(cls, filepath: str | Path) -> Self:
        """Load what `save` wrote, on any backend; the model comes back compiled.

        Nothing in the file is run, whoever wrote it: only classes that are imported already are
        built, and no larger than the weights in the file.

        Raises:
            InputError: no such file, a damaged or hostile one, or a file of another model.
        """
        if not Path(filepath).is_file():
            raise InputError(f"There is no file {filepath}; give the path that save() wrote.")
        try:
            with warnings.catch_warnings(), _room_for(*_weights_in(Path(filepath))):
                # Keras only warns of optimizer state that does not fit.
                warnings.filterwarnings("error", "Skipping variable loading")
                model = keras.saving.load_model(filepath, safe_mode=True)
        # Keras and HDF5 raise almost any type for damaged files.
        except Exception as error:
            reason = " ".join(str(error).split())[:300] or type(error).__name__
            raise InputError(
                f"{filepath} could not be read as a model of this zoo ({reason}); import the file "
                "that defines its class, train it again or give another file."
            ) from error
        if not isinstance(model, cls):
            raise InputError(f"{filepath} holds {type(model).__name__}, not {cls.__name__}.")
        if (weight := non_finite_weight(model)) is not None:
            raise InputError(
                f"{filepath} holds NaN or infinite weights ({weight}); its training diverged: give "
                "another file, or train it again."
            )
        return model

    @property
    def seed_states(self) -> list[keras.Variable]:
        """The states of all seed generators, which Keras leaves out of files."""
        weights = {id(weight) for weight in self.weights}
        return [variable for variable in self.variables if id(variable) not in weights]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for k, state in enumerate(self.seed_states):
            store[f"seed{k}"] = ops.convert_to_numpy(state)
        if self.order is not None:
            store["order"] = np.array(self.order)
        if self.undecayed_rates is not None:
            store["undecayed_rates"] = np.array(self.undecayed_rates)

    def load_own_variables(self, store: Any) -> None:
        names = [*store.keys()]  # It has no iterator.
        super().load_own_variables({name: store[name] for name in names if name.isdigit()})
        if "seed0" in store:  # Older files have none.
            for k, state in enumerate(self.seed_states):
                state.assign(np.asarray(store[f"seed{k}"]))
        if "order" in store:
            seed, fits = map(int, store["order"])
            self.order = (seed, fits)
        if "undecayed_rates" in store:
            self.undecayed_rates = [float(rate) for rate in store["undecayed_rates"]]


def _check_free(path: str | Path, overwrite: bool) -> None:
    if not overwrite and Path(path).exists():
        raise InputError(f"{path} exists; give another path, or overwrite=True.")


def _weights_in(path: Path) -> tuple[int, int]:
    """The number of arrays, and of values in all, in a `.keras` file that is whole.

    Raises:
        Exception: of almost any type, for a file that is not.
    """
    with ZipFile(path) as archive:
        members = archive.infolist()
        if any({"..", "/"} & {*PurePosixPath(m.filename).parts} for m in members):
            raise ValueError("its members lead out of the archive")
        if sum(member.file_size for member in members) > 100 * path.stat().st_size:
            raise ValueError("it unpacks to more than a hundred times its size")
        if damaged := archive.testzip():
            raise ValueError(f"its {damaged} is damaged")
        json.loads(archive.read("config.json"))
        weights = io.BytesIO(archive.read(WEIGHTS))
    sizes = []

    def count(name: str, item: h5py.Dataset | h5py.Group) -> None:
        if isinstance(item, h5py.Dataset):
            if item.id.get_storage_size() < item.nbytes:
                raise ValueError(f"{name} declares more values than it holds")
            sizes.append(item.size)

    with h5py.File(weights) as file:
        file.visititems(count)
    return len(sizes), sum(sizes)


@contextmanager
def _room_for(arrays: int, values: int) -> Iterator[None]:
    """Within the block no random weights are drawn, and no more created than these can fill."""
    # A little more, as a model may create some weights twice.
    left = {"arrays": 2 * arrays + 100, "values": 2 * values + 10_000}
    add_weight, thread = keras.Layer.add_weight, get_ident()

    # JAX would compile the random numbers of each shape, which takes seconds.
    def add_zeros(
        self: keras.Layer, shape: Any = None, initializer: Any = None, *others: Any, **options: Any
    ) -> Any:
        if get_ident() != thread:
            return add_weight(self, shape, initializer, *others, **options)
        left["arrays"] -= 1
        left["values"] -= prod(shape or ())
        if min(left.values()) < 0:
            raise ValueError("its config asks for more weights than it holds")
        drawn = initializer is None or isinstance(keras.initializers.get(initializer), RANDOM)
        return add_weight(self, shape, "zeros" if drawn else initializer, *others, **options)

    keras.Layer.add_weight = add_zeros
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight
