"""What several measurements ask of their arrays."""

import numpy as np

from common.errors import InputError


def require_finite(name: str, values: np.ndarray) -> None:
    """Refuses NaN and infinity in `values`, an array of any shape that messages call `name`."""
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise InputError(
            f"{name}: {bad} of {values.size} values are NaN or infinite; expected finite numbers. "
            "A model that diverged gives such values: train it again or load earlier weights."
        )
