"""Build a recipe's model and train it."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import pandas as pd

from common import datasets, models, plots
from common.errors import InputError
from common.jobs.recipe import Recipe
from common.jobs.results import Results
from common.models.base import ImageModel
from common.training.backend import BACKEND, device_name
from common.training.callbacks import EpochImages
from common.training.precision import precision
from common.training.progress import EpochLines, TrainingClock

FRAMES = 40
OF_TRAINING = ("train_seconds", "images_per_second", "seed", "epochs")
OF_MODEL = ("parameters", "backend", "precision", "device")


def load_data(recipe: Recipe) -> datasets.ImageData:
    """The recipe's data."""
    place = {} if recipe.data_dir is None else {"data_dir": recipe.data_dir}
    return datasets.load(recipe.data, **recipe.data_options, **place)


def build(recipe: Recipe, data: datasets.ImageData) -> ImageModel:
    """The recipe's model, compiled and not trained.

    Raises:
        InputError: it cannot be built for these images, or trained on so few.
    """
    keras.utils.set_random_seed(recipe.seed)
    arguments = {**recipe.arguments, "image_shape": data.image_shape, "seed": recipe.seed}
    if arguments.get("num_classes"):
        if data.num_classes is None:
            own = isinstance(data, datasets.ImageFolderData)
            remedy = ", or sort the images into a subfolder for each class" if own else ""
            raise InputError(
                f"{data.origin} has no labels for a classifier; leave --classifier{remedy}."
            )
        arguments["num_classes"] = data.num_classes
    with precision(recipe.precision):
        model = getattr(models, recipe.model)(**arguments)
    model.compile(**recipe.compile)
    model.check_batch_size(recipe.batch_size, len(data.x_train))
    return model


def train(
    recipe: Recipe,
    data: datasets.ImageData,
    results: Results,
    watchers: Sequence[keras.callbacks.Callback] = (),
) -> ImageModel:
    """Train the recipe's model, and put it and its course among the results.

    Whatever has been trained is saved if the training is stopped or fails.

    Args:
        recipe: what to train.
        data: on what.
        results: where to.
        watchers: further callbacks.

    Raises:
        InputError: results that could not be written.
        FloatingPointError: a loss became NaN or infinite.
    """
    model = build(recipe, data)
    results.check_writable(model_bytes=16 * model.count_params())
    print(describe(recipe, data, model), flush=True)
    images = EpochImages(lambda: frame(model, data), recipe.epochs, FRAMES)
    test = (data.x_test,) if model.num_classes is None else (data.x_test, data.y_test)
    labels = None if model.num_classes is None else data.y_train
    clock = TrainingClock()
    callbacks = [clock, *watchers]
    if hasattr(model, "sample"):
        callbacks.append(images)
    if not sys.stdout.isatty():
        callbacks.append(EpochLines())
    try:
        history = model.fit(
            data.x_train,
            labels,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_data=test if model.validates else None,
            callbacks=callbacks,
            verbose=1 if sys.stdout.isatty() else 0,
        )
    except (KeyboardInterrupt, FloatingPointError):
        path = results.folder / "interrupted.keras"
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(path)
        option = "--verifier" if isinstance(model, models.DigitClassifier) else "--weights"
        print(f"\nThe model as it was is in {path}; {option} loads it.", file=sys.stderr)
        raise
    table = pd.DataFrame(history.history)
    table.insert(0, "epoch", [epoch + 1 for epoch in history.epoch])
    pace = round(len(data.x_train) * recipe.epochs / clock.seconds, 1)
    values = (round(clock.seconds, 2), pace, recipe.seed, recipe.epochs)
    # At once: what is drawn and measured next may fail, and the model shall not be lost by it.
    with results.replacing() as staging:
        model.save(staging / "model.keras")
        table.to_csv(staging / "history.csv", index=False)
        plots.loss_curves(table).savefig(staging / "losses.png")
        if images.frames:
            plots.animation(images.frames, staging / "training.gif")
        figures = dict(zip(OF_TRAINING, values, strict=True)) | model_figures(model)
        write_metrics(staging, figures)
    return model


def model_figures(model: ImageModel) -> dict:
    """What can be said of any model: its size and how it computes."""
    values = (trainable_parameters(model), BACKEND, model.dtype_policy.name, device_name())
    return dict(zip(OF_MODEL, values, strict=True))


def write_metrics(folder: Path, figures: dict) -> None:
    """Write `metrics.json`."""
    (folder / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")


def frame(model: ImageModel, data: datasets.ImageData):
    """What a training's film shows of one epoch: the same draws, or the same test images, anew."""
    if isinstance(model, models.AE) and not isinstance(model, models.VAE):
        return model.reconstruct(data.x_test[:25])
    return model.sample(25, seed=0)


def trainable_parameters(model: ImageModel) -> int:
    """Numbers that training adjusts; an averaged copy of the generator does not count."""
    return sum(math.prod(v.shape) for v in model.trainable_variables)


def describe(recipe: Recipe, data: datasets.ImageData, model: ImageModel) -> str:
    """One line: what is trained on what, and how it is executed."""
    how = "XLA" if model.jit_compile else "no XLA"
    return (
        f"Training {recipe.preset} ({recipe.model}, {trainable_parameters(model):,} parameters) on "
        f"{len(data.x_train):,} images of {data.name}, {recipe.epochs} epochs of batches of "
        f"{recipe.batch_size}: {BACKEND} on {device_name()}, {recipe.precision}, {how}, "
        f"{model.steps_per_execution} step(s) per call"
    )
