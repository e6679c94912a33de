"""What a model's metrics mean, for plots and verdicts that work for any model."""

import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from common.errors import InputError, require_finite


class MetricKind(NamedTuple):
    """The meaning of one metric.

    Attributes:
        kind: "loss" (per image), "nats" (per image), "share" (in [0, 1]), "error" (per pixel),
            "player loss" (of a GAN's generator or discriminator), "probability" (mean D(x)),
            "score" (mean D(x) without a sigmoid), "distance" (mean score, real less generated),
            "scale" (factor of a loss in float16); "" if unknown.
        of: the images that a "probability" or "score" belongs to: "real" or "fake".
    """

    kind: str
    of: str = ""


LARGEST = 1e15  # Sums of squares beyond it leave float32; only models that diverged come near.

# The zoo's own metrics, in the order in which plots show them.
KNOWN = {
    "loss": MetricKind("loss"),
    "reconstruction_loss": MetricKind("loss"),
    "kl_loss": MetricKind("nats"),
    "classifier_loss": MetricKind("nats"),
    "classifier_accuracy": MetricKind("share"),
    "accuracy": MetricKind("share"),
    "mse": MetricKind("error"),
    "generator_loss": MetricKind("player loss"),
    "discriminator_loss": MetricKind("player loss"),
    "critic_loss": MetricKind("player loss"),
    "d_real": MetricKind("probability", "real"),
    "d_fake": MetricKind("probability", "fake"),
    "score_real": MetricKind("score", "real"),
    "score_fake": MetricKind("score", "fake"),
    "critic_distance": MetricKind("distance"),
    "loss_scale": MetricKind("scale"),
    "generator_loss_scale": MetricKind("scale"),
    "discriminator_loss_scale": MetricKind("scale"),
    "critic_loss_scale": MetricKind("scale"),
}


def kinds_of(
    history: Any, kinds: Mapping[str, MetricKind] | None = None
) -> Mapping[str, MetricKind]:
    """The kinds given, else those that the model of a Keras `History` states, else `KNOWN`."""
    if kinds is not None:
        return kinds
    return getattr(getattr(history, "model", None), "metric_kinds", KNOWN)


def with_split(name: str, split: str) -> str:
    """Keras's `val_loss` as `test_loss` if the split is "test"; other names as they are."""
    renamed = split == "test" and name.startswith("val_")
    return f"test_{name.removeprefix('val_')}" if renamed else name


def history_table(history: Any) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The metrics of a training and the numbers of its epochs.

    Args:
        history: what `fit` returns, or a dict or pandas DataFrame: metric -> one value per epoch. A
            column `epoch` holds the epochs' numbers.

    Returns:
        Metric -> float64 values (fewer than epochs if measured every k-th epoch; NaN and infinity
        stay), and the epochs' numbers, (E,); 1, 2, … if the history does not say.

    Raises:
        InputError: another type, a column that is not one number per epoch, or no epoch.
    """
    table = history if hasattr(history, "keys") else getattr(history, "history", None)
    try:
        columns: dict[Any, Any] = dict(table)  # type: ignore[arg-type]
    except TypeError:
        raise InputError(
            f"history is a {type(history).__name__}; expected what `fit` returns, a dict or a "
            "pandas DataFrame with one column per metric."
        ) from None
    metrics = {str(name): _per_epoch(name, values) for name, values in columns.items()}
    epochs = metrics.pop("epoch", None)
    if epochs is None and table is not history:
        # Keras counts from 0 and, after a resume, from where it went on.
        epochs = real_array("The history's epochs", getattr(history, "epoch", [])) + 1
    metrics = {name: values for name, values in metrics.items() if len(values)}
    if not metrics:
        raise InputError("The history holds no epoch: train for at least one first.")
    longest = max(map(len, metrics.values()))
    if epochs is None or epochs.shape != (longest,) or not np.isfinite(epochs).all():
        epochs = np.arange(1, longest + 1)
    return metrics, epochs


def _per_epoch(name: Any, values: Any) -> np.ndarray:
    column = real_array(f"The history's values of {printable(name)}", values)
    if column.ndim > 1 and column.size != len(column):
        raise InputError(
            f"The history's values of {printable(name)} have shape {column.shape}; expected one "
            "per epoch. Does the table have two columns of that name?"
        )
    return column.astype(np.float64).reshape(-1)


def printable(text: Any) -> str:
    """A text that every terminal and font takes: control characters and lone surrogates escaped.

    Surrogates stand for the bytes of a file's name that is not UTF-8.
    """
    return "".join(
        c.encode("unicode_escape").decode() if unicodedata.category(c) in ("Cc", "Cs") else c
        for c in str(text)
    )


def as_texts(name: str, values: Any, count: int) -> list[str]:
    """An argument as `count` texts, or an `InputError`."""
    if isinstance(values, str) or not hasattr(values, "__len__") or len(values) != count:
        given = printable(repr(values))
        raise InputError(f"Got {name}={given:.60}; expected a sequence of {count}.")
    return [str(value) for value in values]


def real_array(name: str, values: Any) -> np.ndarray:
    """An argument as an array of bools, integers or floats, or an `InputError`.

    Args:
        name: what the message calls it, such as "The scores".
        values: an array or tensor, nested lists, a Series or DataFrame, of any shape.
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            if array.dtype.kind in "cmM" or not array.ndim:
                raise TypeError
            # Python's numbers, digits, or a type that NumPy does not know, such as bfloat16.
            array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise InputError(
            f"{name}: got a {type(values).__name__} that is no array of real numbers; give a NumPy "
            "array without text, its rows of equal length."
        ) from None
    return array


def rows_of(name: str, values: Any) -> Any:
    """An argument with at least one row: lazy images and tensors as they are, others an array."""
    lazy = (
        not isinstance(values, np.ndarray) and hasattr(values, "shape") and hasattr(values, "dtype")
    )
    rows = values if lazy else real_array(name, values)
    shape = tuple(rows.shape)
    if not shape or 0 in shape:
        raise InputError(f"{name}: got the shape {shape}; expected at least one, none of size 0.")
    return rows


def numbers(
    name: str,
    values: Any,
    shape: tuple[str | int, ...] | None = None,
    low: float = -np.inf,
    high: float = np.inf,
) -> np.ndarray:
    """An argument as an array of finite floats, or an `InputError`.

    Args:
        name: what the message calls it, such as "The scores".
        values: as `real_array` takes them, at least one; bools and integers become float64.
        shape: the expected one, where a text stands for any size of at least 1; None for any.
        low, high: the smallest and largest value allowed.
    """
    array = real_array(name, values)
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    expected = shape or ("at least one",)
    sizes = zip(array.shape, expected, strict=False)
    fits = all(size > 0 if isinstance(given, str) else size == given for size, given in sizes)
    if not array.size or not fits or len(shape or array.shape) != array.ndim or not array.ndim:
        raise InputError(
            f"{name}: got the shape {array.shape}; expected ({', '.join(map(str, expected))})."
        )
    require_finite(name, array)
    if array.min() < low or array.max() > high:
        raise InputError(
            f"{name}: got {array.min():.4g} to {array.max():.4g}; expected {low:g} to {high:g}."
        )
    return array


def as_counts(name: str, values: Any, shape: tuple[str | int, ...] = ("K",)) -> np.ndarray:
    """Counts or shares as float64, none below 0 and no row all 0, or an `InputError`."""
    array = numbers(name, values, shape, low=0).astype(np.float64)
    if not array.any(axis=-1).all():
        raise InputError(f"{name} are all 0: nothing was counted, so there are no shares.")
    return array
