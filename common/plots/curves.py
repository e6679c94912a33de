"""What a training recorded, one panel per term."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from common.errors import InputError
from common.plots.style import PALETTE, Figure, chart, dress

# Title of a panel -> its unit and the terms it holds. A term not listed has a panel of its own.
# The first two are in nats or in squared error, as the model's likelihood has it.
PANELS: dict[str, tuple[str, Sequence[str]]] = {
    "loss": ("per image", ["loss"]),
    "reconstruction loss": ("per image", ["reconstruction_loss"]),
    "KL loss": ("nats per image", ["kl_loss"]),
    "classifier loss": ("nats per image", ["classifier_loss"]),
    "classifier accuracy": ("share correct", ["classifier_accuracy"]),
    "accuracy": ("share correct", ["accuracy"]),
    "mean squared error": ("per pixel", ["mse"]),
    "losses of the players": (
        "loss",
        ["generator_loss", "discriminator_loss", "critic_loss"],
    ),
    "the discriminator's belief": ("mean probability of real", ["d_real", "d_fake"]),
    "the discriminator's score": ("mean score, real towards 1", ["score_real", "score_fake"]),
    "critic distance": ("score real − generated", ["critic_distance"]),
}
# An epoch, mostly the first, so many times above the median flattens all others: log scale.
FLATTENING = 20
NAMES = {
    "d_real": "real images",
    "d_fake": "generated images",
    "score_real": "real images",
    "score_fake": "generated images",
}


def loss_curves(history: Any) -> Figure:
    """Draw each term of the loss over the epochs, training and validation in one panel.

    The two players of a GAN share a panel, and so do D(real) and D(fake). A loss of a single term
    is drawn once. A panel of positive values, some far above most, has a logarithmic scale.

    Args:
        history: what `fit` returns, or the same as a dict or a pandas DataFrame: term -> one value
            per epoch, validation terms beginning with `val_`. A column `epoch` gives the positions.

    Raises:
        InputError: something else, a history without an epoch, or a term that is not numbers.
    """
    terms = _terms(history)
    epochs = terms.pop("epoch", None)
    if epochs is None and hasattr(history, "history"):
        # Keras counts from 0 and, after a resume, from where it went on.
        epochs = np.asarray(history.epoch) + 1
    longest = max((len(values) for values in terms.values()), default=0)
    if not longest:
        raise InputError("The history holds no epoch: train for at least one before drawing it.")
    if epochs is None or len(epochs) != longest:
        epochs = np.arange(1, longest + 1)

    panels = _panels(terms)
    columns = 2 if len(panels) == 4 else min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = chart(0.4 + 3.4 * columns, 2.7 * rows)
    for place, (title, (unit, members)) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        dress(axes, "epoch", unit, title)
        axes.xaxis.set_major_locator(
            MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10], min_n_ticks=1)
        )
        lines = _lines(members, terms)
        for (key, label), colour in zip(lines, PALETTE, strict=False):
            # Validated every k-th epoch only, Keras lists every k-th value without a gap.
            step = longest // len(terms[key])
            axes.plot(
                epochs[step - 1 :: step][: len(terms[key])],
                terms[key],
                color=colour,
                marker="o" if len(terms[key]) == 1 else "",
                label=label,
            )
        shown = np.concatenate([terms[key] for key, _ in lines])
        if shown.min() > 0 and shown.max() > FLATTENING * np.median(shown):
            axes.set_yscale("log")
        axes.legend(fontsize=8, edgecolor="none", framealpha=0.7)
    return figure


def _terms(history: Any) -> dict[str, np.ndarray]:
    table = getattr(history, "history", history)
    if not hasattr(table, "keys"):
        raise InputError(
            f"history is a {type(history).__name__}; expected what `fit` returns, a dict or a "
            "pandas DataFrame with one column per term."
        )
    try:
        return {key: np.asarray(table[key], dtype=np.float64).reshape(-1) for key in table}
    except (TypeError, ValueError) as error:
        raise InputError(
            f"The history holds a term that is not a list of numbers ({error}); "
            "expected one number per epoch."
        ) from error


def _panels(terms: Mapping[str, np.ndarray]) -> dict[str, tuple[str, list[str]]]:
    """Return title -> (unit, the terms recorded), the table's first, then the others."""
    recorded = list(dict.fromkeys(key.removeprefix("val_") for key in terms if len(terms[key])))
    if {"loss", "reconstruction_loss"} <= terms.keys() and np.array_equal(
        terms["loss"], terms["reconstruction_loss"]
    ):
        recorded.remove("loss")
    panels = {}
    for title, (unit, members) in PANELS.items():
        members = [term for term in members if term in recorded]
        if members:
            panels[title] = (unit, members)
            recorded = [term for term in recorded if term not in members]
    for term in recorded:
        panels[term.replace("_", " ")] = (term.replace("_", " "), [term])
    return panels


def _lines(members: Sequence[str], terms: Mapping[str, np.ndarray]) -> list[tuple[str, str]]:
    """Return (key, legend entry) of each line in a panel."""
    if len(members) == 1:
        lines = [(members[0], "training"), (f"val_{members[0]}", "validation")]
    else:
        names = [NAMES.get(term, term.removesuffix("_loss").replace("_", " ")) for term in members]
        lines = [*zip(members, names, strict=True)]
        lines += [(f"val_{key}", f"{name}, validation") for key, name in lines]
    return [(key, label) for key, label in lines if len(terms.get(key, ()))]
