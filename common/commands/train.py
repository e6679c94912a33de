"""Build a recipe's model and train it."""

import math
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
import pandas as pd

from common import datasets, plots
from common.callbacks import EpochLines, Film, ProgressBar, TrainingClock
from common.callbacks.progress import telling
from common.commands.prepared import keep_prepared, show_prepared
from common.commands.recipe import Recipe
from common.commands.run_folder import RunFolder, check_writable, write_figures
from common.commands.titles import title_of
from common.errors import InputError
from common.lazy_tensorflow import without_tensorflow
from common.metrics import with_split
from common.models import ImageClassifier
from common.models.base import ImageModel
from common.training.backend import BACKEND, device_name
from common.training.backend.fastest import fastest_precision
from common.training.guards import state_of
from common.training.precision import precision

FRAMES = 40
LINES = 40
NAMES = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}


def load_data(recipe: Recipe) -> datasets.ImageData:
    """The recipe's data."""
    place = {} if recipe.data_dir is None else {"data_dir": recipe.data_dir}
    return datasets.load(recipe.data, **recipe.data_options, **place)


def origin_of(recipe: Recipe, content: str | None) -> dict[str, Any]:
    """What decides the trained model: the recipe, and the digest of the images' files if any."""
    return asdict(recipe) | ({"data_content": content} if content else {})


def build(recipe: Recipe, data: datasets.ImageData, model_class: type[ImageModel]) -> ImageModel:
    """The recipe's model, compiled and not trained.

    Raises:
        InputError: these images do not fit it, or are too few.
    """
    with without_tensorflow():
        keras.utils.set_random_seed(recipe.seed)
    arguments = {**recipe.arguments, "image_shape": data.image_shape, "seed": recipe.seed}
    if arguments.get("num_classes"):
        if data.num_classes is None:
            raise InputError(
                f"{data.origin} has no labels for a classifier; leave out --classifier"
                f"{data.label_hint}."
            )
        arguments["num_classes"] = data.num_classes
    policy = recipe.precision
    if policy == "auto":
        policy, why = fastest_precision(device_name(), model_class(**arguments).convolutional)
        print(f"Precision {policy}: {why}.")
    with precision(policy):
        model = model_class(**arguments)
    model.compile(**recipe.compile)
    model.check_batch_size(recipe.batch_size, len(data.x_train))
    return model


def train(
    recipe: Recipe,
    model: ImageModel,
    data: datasets.ImageData,
    folder: RunFolder,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Train a model by its recipe, and put it and its course into the folder.

    The curves show the validation split where the data have one, else the test images. A training
    that is stopped goes on from the folder's backup; one that is stopped by a signal or diverges
    also leaves the model as it was then in `interrupted.keras`.

    Raises:
        InputError: the results cannot be written.
        FloatingPointError: a loss became NaN or infinite.
    """
    check_writable(folder.path, model_bytes=16 * model.count_params())
    show_prepared(recipe, data, folder)
    print(_description(recipe, data, model), flush=True)
    film, clock = Film(lambda: _frame(model, data), recipe.epochs, FRAMES), TrainingClock()
    shown = [film] if hasattr(model, "sample") else []
    split, images, labels = "test", data.x_test, data.y_test
    if data.x_valid is not None:
        split, images, labels = "validation", data.x_valid, data.y_valid
    progress = ProgressBar(split) if sys.stdout.isatty() else EpochLines(LINES, split)
    watched = (images,) if model.num_classes is None else (images, labels)
    with _kept(folder, model):
        history = model.fit(
            data.x_train,
            None if model.num_classes is None else data.y_train,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_data=watched if model.validates else None,
            callbacks=[clock, *callbacks, *shown, progress],
            verbose=0,
            resume=folder.begin_backup(),
        )
        table = pd.DataFrame(history.history)
        table.columns = [with_split(name, split) for name in table]
        table.insert(0, "epoch", [epoch + 1 for epoch in history.epoch])
        pace = round(len(data.x_train) * recipe.epochs / clock.seconds, 1)
        # Save now: plotting may fail and must not cost the model.
        with telling("Drawing the training's curves and film"), folder.replacing() as staging:
            model.save(staging / "model.keras")
            table.to_csv(staging / "history.csv", index=False)
            title = title_of(recipe)
            curves = plots.loss_curves(table, model.metric_kinds, title=title)
            curves.savefig(staging / "losses.png")
            if film.frames:
                originals = None if model.has_prior else data.x_test[:25]
                film_path = staging / "training.gif"
                plots.animation(film.frames, film_path, originals=originals, title=title)
            write_figures(staging / "metrics.json", {"model": figures_of(recipe, model)})
            keep_prepared(folder, staging)
            times = {"train_seconds": round(clock.seconds, 2), "images_per_second": pace}
            write_figures(staging / "timing.json", times)


@contextmanager
def _kept(folder: RunFolder, model: ImageModel) -> Iterator[None]:
    """Keep what there is of a training that stops, and say how to go on."""
    try:
        yield
    except BaseException as stop:
        if sys.stdout.isatty():
            print()  # after the bar
        if isinstance(stop, FloatingPointError):
            folder.drop_backup()  # It would diverge again.
        if isinstance(stop, KeyboardInterrupt | SystemExit | FloatingPointError):
            path = folder.path / "interrupted.keras"
            model.save(path)
            option = "--verifier" if isinstance(model, ImageClassifier) else "--weights"
            print(f"The model as it was is in {path}; {option} loads it.", file=sys.stderr)
        if folder.has_backup():
            print(f"The training in {folder.path} goes on with --resume.", file=sys.stderr)
        raise
    folder.drop_backup()
    (folder.path / "interrupted.keras").unlink(missing_ok=True)


def figures_of(recipe: Recipe, model: ImageModel) -> dict[str, Any]:
    """What can be said of a recipe's model without measuring."""
    return {"seed": recipe.seed, "epochs": recipe.epochs, **model_figures(model)}


def model_figures(model: ImageModel) -> dict[str, Any]:
    """What can be said of any model: its size and how it computes."""
    return {
        "parameters": trainable_parameters(model),
        "backend": BACKEND,
        "precision": model.dtype_policy.name,
        "device": device_name(),
    }


def trainable_parameters(model: ImageModel) -> int:
    """The number of weights that training adjusts, without an EMA generator's."""
    return sum(math.prod(v.shape) for v in model.trainable_variables)


def _frame(model: ImageModel, data: datasets.ImageData) -> np.ndarray:
    """One frame of the film: samples from the same noise, or reconstructions of test images."""
    return model.sample(25, seed=0) if model.has_prior else model.reconstruct(data.x_test[:25])


def _description(recipe: Recipe, data: datasets.ImageData, model: ImageModel) -> str:
    weights = trainable_parameters(model)
    size = f"{weights / 1e6:.1f} M" if weights >= 1e6 else f"{weights:,}"
    kept = sum(math.prod(v.shape) * np.dtype(v.dtype).itemsize for v in state_of(model))
    batches = f"batches of {recipe.batch_size}"
    if model.steps_per_execution > 1:
        batches += f", up to {model.steps_per_execution} in one call"
    how = ", compiled by XLA" if model.jit_compile else ""
    return (
        f"Training {recipe.preset}: {recipe.model}, {size} parameters, "
        f"{len(data.x_train):,} images of {data.name}, {recipe.epochs} epochs\n"
        f"  {NAMES.get(BACKEND, BACKEND)} on {device_name()}, {model.dtype_policy.name}{how}, "
        f"{batches}, {kept / 1e6:.1f} MB with the optimizer"
    )
