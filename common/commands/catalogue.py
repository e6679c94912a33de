"""`list`: the models, datasets and presets of the zoo, with their figures, weights and times."""

from collections.abc import Iterator

from common import presets, zoo
from common.commands.figures import rounded
from common.errors import InputError
from common.presets.shipped import Weights, weights_of

# Of each preset at most two figures, the first ones that it has.
SHOWN = (
    *("test_accuracy", "nll", "test_negative_elbo", "test_mse", "outside_span_median", "coverage"),
    *("auroc", "average_precision", "modes", "predictability", "modes_kl"),
)


def run(what: str | None) -> None:
    """Print one table, or all.

    Raises:
        InputError: there is no such table.
    """
    tables = {"models": models, "datasets": datasets, "presets": presets_with_figures}
    if what not in (None, *tables):
        raise InputError(f"Got {what!r}; expected {', '.join(tables)}, or nothing for all.")
    print("\n\n".join("\n".join(tables[name]()) for name in ([what] if what else tables)))


def models() -> Iterator[str]:
    """A line for each model."""
    yield "Models, for main.py MODEL MODE DATA"
    for row in zoo.MODELS.values():
        yield f"  {row.name:<10}{row.about} ({', '.join(row.modes)})"


def datasets() -> Iterator[str]:
    """A line for each dataset."""
    yield "Datasets"
    for row in zoo.DATASETS.values():
        name = f"{row.name}, {row.alias}" if row.alias else row.name
        yield f"  {'PATH' if row.name == zoo.FOLDER else name:<14}{row.about}"


def presets_with_figures() -> Iterator[str]:
    """A line for each preset, those that have weights first."""
    known = {name: weights_of(name) or weights_of(name, 8) for name in presets.names()}
    yield "Presets with trained weights, for main.py sample, or VAE.from_preset(NAME)"
    for name, weights in known.items():
        if weights is not None:
            size = weights.path.stat().st_size / 1e6
            yield f"  {name:<24}{size:4.1f} MB  {seconds(weights):>7}  {figures(weights)}"
    yield "\nPresets without, for main.py train PRESET"
    for name, weights in known.items():
        if weights is None:
            yield f"  {name:<24}{presets.get(name)['about']}"


def seconds(weights: Weights) -> str:
    """How long the training took."""
    taken = weights.train_seconds
    return f"{taken / 60:.0f} min" if taken >= 100 else f"{taken:.0f} s"


def figures(weights: Weights) -> str:
    """The first two of the figures to show."""
    flat = {name: value for part in weights.figures.values() for name, value in part.items()}
    shown = [name for name in SHOWN if name in flat][:2]
    return ", ".join(f"{name.replace('_', ' ')} {rounded(flat[name])}" for name in shown)
