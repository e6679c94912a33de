"""What the pictures of a run are called."""

from pathlib import Path

from common import zoo
from common.commands.recipe import Recipe


def title_of(recipe: Recipe, weights: Path | None = None) -> str:
    """Model, data and epochs: "vae on digits without 8, 60 epochs".

    Args:
        recipe: of the training.
        weights: the file of a model that was trained elsewhere, named in place of the epochs.
    """
    model = zoo.model_of(recipe.preset) or recipe.model
    title = f"{model} on {Path(recipe.data).name}"
    if (held_out := recipe.data_options.get("drop_class")) is not None:
        title += f" without {held_out}"
    if weights is not None:
        return f"{title}, {weights.name}"
    return f"{title}, {recipe.epochs} epoch{'s' * (recipe.epochs != 1)}"
