"""Numerical precision by Keras's dtype policies."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras

from common.errors import InputError

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
HALF = ("float16", "bfloat16")


@contextmanager
def precision(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Within the block, new layers and models take this policy.

    Raises:
        InputError: a name that is not one of `PRECISIONS`, or a policy with weights of 16 bits.
    """
    if isinstance(policy, str) and policy not in PRECISIONS:
        raise InputError(f"Precision {policy!r} is unknown; choose from {', '.join(PRECISIONS)}.")
    if (weights := keras.dtype_policies.get(policy).variable_dtype) in HALF:
        raise InputError(
            f"The dtype policy keeps weights in {weights}, where small steps of a training are "
            f"rounded away; take mixed_{weights}, which only computes in it."
        )
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
