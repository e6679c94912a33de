"""The one exception of the zoo that a user can act on, and the checks that many arguments need."""

from numbers import Integral
from typing import Any

import numpy as np


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
