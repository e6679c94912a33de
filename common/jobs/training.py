"""Build a recipe's model and train it, or load it."""

import math
import sys
from pathlib import Path

import keras
import pandas as pd

from common import datasets, models
from common.jobs.recipe import Recipe
from common.jobs.results import Results
from common.models.base import ImageModel
from common.training.backend import BACKEND, device_name
from common.training.callbacks import EpochImages
from common.training.precision import precision
from common.training.progress import EpochLines, TrainingClock

FRAMES = 40


class Trained:
    """A trained model with what its training left: frames and figures where it ran just now."""

    def __init__(self, model: ImageModel):
        self.model = model
        self.history: pd.DataFrame | None = None
        self.frames: dict = {}
        self.figures: dict = {}


def load_data(recipe: Recipe, data_dir: Path | None) -> datasets.ImageData:
    """The recipe's data."""
    place = {} if data_dir is None else {"data_dir": data_dir}
    return datasets.load(recipe.data, **recipe.data_options, **place)


def build(recipe: Recipe, data: datasets.ImageData) -> ImageModel:
    """The recipe's model, compiled and not trained."""
    keras.utils.set_random_seed(recipe.seed)
    arguments = {**recipe.arguments, "image_shape": data.image_shape, "seed": recipe.seed}
    if arguments.get("num_classes"):
        arguments["num_classes"] = data.num_classes
    with precision(recipe.precision):
        return getattr(models, recipe.model).from_preset(recipe.preset, **arguments)


def train(recipe: Recipe, data: datasets.ImageData, results: Results) -> Trained:
    """Train the recipe's model; what there is is kept if it is stopped or fails.

    Raises:
        InputError: results that could not be written.
        FloatingPointError: a loss became NaN or infinite.
    """
    trained = Trained(build(recipe, data))
    model = trained.model
    results.check_writable(model_bytes=16 * model.count_params())
    print(describe(recipe, data, model), flush=True)
    images = EpochImages(lambda: frame(model, data), recipe.epochs, FRAMES)
    test = (data.x_test,) if model.num_classes is None else (data.x_test, data.y_test)
    labels = None if model.num_classes is None else data.y_train
    clock = TrainingClock()
    callbacks = [clock, images]
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
        model.save(path)
        print(f"\nThe model as it was is in {path}; --weights loads it.", file=sys.stderr)
        raise
    trained.history = pd.DataFrame(history.history)
    trained.history.insert(0, "epoch", [epoch + 1 for epoch in history.epoch])
    trained.frames = images.frames
    trained.figures = {
        "train_seconds": round(clock.seconds, 2),
        "images_per_second": round(len(data.x_train) * recipe.epochs / clock.seconds, 1),
        "parameters": trainable_parameters(model),
        "seed": recipe.seed,
        "backend": BACKEND,
        "precision": recipe.precision,
        "device": device_name(),
        "epochs": recipe.epochs,
    }
    return trained


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
