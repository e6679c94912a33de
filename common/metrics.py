"""What a model's metrics mean, for plots and verdicts that work for any model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from common.errors import InputError, printable, real_array


class MetricKind(NamedTuple):
    """The meaning of one metric.

    Attributes:
        kind: "loss", "nats" or "squared error" (per image), "share" (in [0, 1]), "error" (per
            pixel), "player loss" (a generator's or discriminator's), "probability" (mean D(x)),
            "score" (mean D(x) without a sigmoid), "distance" (mean score, real less generated),
            "scale" (factor of a loss in float16), "norm" (of gradients); "" if unknown.
        of: the images that a "probability" or "score" belongs to: "real" or "fake".
    """

    kind: str
    of: str = ""


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
    "gradient_norm": MetricKind("norm"),
    "generator_gradient_norm": MetricKind("norm"),
    "discriminator_gradient_norm": MetricKind("norm"),
    "critic_gradient_norm": MetricKind("norm"),
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
