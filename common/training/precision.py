"""Numerical precision by Keras's dtype policies: what computes in 16 bits, and what never does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

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


def in_float32(values: Any) -> Any:
    """Tensors or arrays, in any structure, as float32.

    Networks of one's own may end in another type; losses and images are float32 nevertheless.
    """
    return keras.tree.map_structure(
        lambda v: np.asarray(v, "float32") if isinstance(v, np.ndarray) else ops.cast(v, "float32"),
        values,
    )


class LossScales(keras.callbacks.Callback):
    """Add the factor of each scaled loss to the logs of an epoch, as `loss_scale`.

    A `LossScaleOptimizer` doubles and halves it, so that float16 holds the gradients. At 1 or less
    they are far from fitting.
    """

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        # The first metrics are the optimizers' losses.
        for name, optimizer in zip(self.model.metric_kinds, self.model.optimizers, strict=False):
            if logs is not None and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
                logs[f"{name}_scale"] = float(ops.convert_to_numpy(optimizer.dynamic_scale))
