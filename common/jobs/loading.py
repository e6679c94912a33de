"""Load a model: the one that this recipe has trained already, or that of a given file."""

import argparse
import hashlib
from pathlib import Path

from common.errors import InputError
from common.jobs.recipe import Recipe
from common.jobs.results import OTHERS, Results
from common.models.base import ImageModel


def load_weights(kind: type[ImageModel], path: Path) -> ImageModel:
    """The model of a file that the command line names.

    Raises:
        InputError: no such model.
    """
    model = kind.load(path)
    if type(model) is not kind:
        raise InputError(f"{path} holds {type(model).__name__}, not {kind.__name__}.")
    print(f"Loaded {path}.")
    return model


def load_trained(kind: type[ImageModel], results: Results) -> ImageModel | None:
    """The model that was trained here by this recipe, if there is one.

    Raises:
        InputError: its file cannot be read.
    """
    path = results.trained_model()
    if path is None:
        if (model := results.folder / "model.keras").exists():
            print(
                f"The model in {results.folder} is of another recipe, or its image files had other "
                f"names, sizes or times; one is trained anew, and the results that are there go to "
                f"{results.folder / OTHERS}. --weights {model} takes that model as it is."
            )
        return None
    try:
        model = kind.load(path)
    except InputError as error:
        raise InputError(f"{error} --retrain trains it anew.") from error
    print(f"Loaded {path}; --retrain trains anew.")
    return model


def origin_of(arguments: argparse.Namespace, recipe: Recipe) -> dict:
    """What results come from that a given file's model makes: the file, and the data."""
    with arguments.weights.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "weights": str(arguments.weights),
        "sha256": digest,
        "model": recipe.model,
        "data": recipe.data,
        "data_options": recipe.data_options,
    }
