"""The one exception of the zoo that a user can act on, and the check that most arguments need."""

from numbers import Integral
from typing import Any


class InputError(ValueError):
    """What was given cannot be used; the message says what was expected and what to do.

    The command line prints the message alone. Everything else (a bug) keeps its traceback.
    """


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """An argument as an `int`, or an `InputError`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise InputError(f"Got {name}={value}; expected a whole number of at least {least}.")
    return int(value)
