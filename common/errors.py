"""The one exception of the zoo that a user can act on, and the checks that many arguments need."""

import unicodedata
from numbers import Integral
from typing import Any

import numpy as np

LARGEST = 1e15  # Sums of squares beyond it leave float32; only models that diverged come near.


class InputError(ValueError):
    """What was given cannot be used; the message says what was expected and what to do.

    The command line prints the message alone. Everything else (a bug) keeps its traceback.
    """


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """An argument as an `int`, or an `InputError`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InputError(f"Got {name}={value}; expected a whole number of at least {least}.")
    return int(value)


def require_finite(name: str, values: np.ndarray) -> None:
    """Raise an `InputError` if `values`, of any shape, hold NaN or infinity.

    Args:
        name: what the message calls them.
        values: numbers.
    """
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise InputError(
            f"{name}: {bad} of {values.size} values are NaN or infinite; expected finite numbers. "
            "A model that diverged gives such values: train it again or load earlier weights."
        )


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
