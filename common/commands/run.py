"""One run: load the data → build or load the model → train → draw and measure → write."""

import hashlib
import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from common import plots, zoo
from common.callbacks import Trace
from common.callbacks.progress import say, telling
from common.commands import anomaly
from common.commands.checks import check_model
from common.commands.config import RunConfig
from common.commands.figures import present, table
from common.commands.measure import figures_on_test
from common.commands.recipe import Recipe
from common.commands.run_folder import PICTURES, RunFolder, check_writable, write_figures
from common.commands.titles import title_of
from common.commands.train import build, figures_of, load_data, model_figures, origin_of, train
from common.commands.verifier import find_verifier, mode_watchers
from common.datasets import ImageData
from common.datasets.files import keras_home
from common.errors import InputError
from common.evaluation.diagnosis import balance
from common.models.base import ImageModel
from common.models.gan import GAN
from common.presets.shipped import Weights, weights_of
from common.training.backend import be_deterministic, keep_compiled, traced


def run(config: RunConfig) -> None:
    """Do what a config says, and print the figures and where the pictures are.

    Raises:
        InputError: something given cannot be used; nothing was changed.
    """
    keep_compiled(keras_home() / "zoo-cache" / "compiled")
    if config.deterministic:
        be_deterministic()
    if config.mode == "anom" and config.held_out == "all":
        anomaly.run_all(config, run_one)
    else:
        run_one(config)


def run_one(config: RunConfig) -> dict[str, Any]:
    """`run` for one model; returns its figures."""
    recipe = config.recipe
    model_class = zoo.MODELS[config.model].load()
    model = None if config.weights is None else _load_weights(model_class, config.weights)
    check_writable(config.folder)
    data = load_data(recipe)
    recipe = recipe.for_images(len(data.x_train))
    config = replace(config, recipe=recipe)
    origin = origin_of(recipe, data.content)
    if config.weights is not None:
        origin = _origin_of_weights(config, config.weights)
    elif (shipped := _zoo_weights(config)) is not None:
        model = model_class.from_preset(recipe.preset, weights=shipped)
        print(f"Loaded the zoo's weights of {shipped.name}; --retrain trains them again.")
        origin["zoo_weights"] = shipped.sha256
    folder = RunFolder(config.folder, origin)
    with folder.in_use():
        return _run_in(folder, config, data, model)


def _run_in(
    folder: RunFolder, config: RunConfig, data: ImageData, model: ImageModel | None
) -> dict[str, Any]:
    """Load or train, draw, measure and write; `model` is one that is trained, of no folder."""
    recipe, mode = config.recipe, zoo.MODES[config.mode].load()
    model_class = zoo.MODELS[config.model].load()
    trained_here = model is None
    if model is not None:
        folder.check_no_model()
    elif not (config.retrain or (config.resume and folder.has_backup())):
        model = _load_trained(model_class, folder)
    trained = model is not None
    model = model or build(recipe, data, model_class)
    model.check_data(data.image_shape)
    check_model(config, model)
    mode.check(config, data)
    if trained and config.profile:
        raise InputError("--profile traces a training, and this model is trained; add --retrain.")
    if not trained:
        if config.retrain:
            folder.drop_backup()
        folder.check_backup(config.resume)
    verifier = find_verifier(config, data)
    watchers = []
    if not trained:
        watchers = mode_watchers(verifier, recipe.epochs) if isinstance(model, GAN) else []
        traces = [Trace(traced, config.profile)] if config.profile else []
        train(recipe, model, data, folder, [*watchers, *traces])
    sections = folder.figures()
    of_training = [] if trained else folder.pictures()
    shown: list[str] = []
    with folder.replacing() as staging, ExitStack() as drawing:
        drawing.enter_context(telling("Drawing pictures"))

        def show() -> None:
            """Do not let pictures that are whole wait for figures."""
            drawing.close()
            if shown or folder.has_other_results():
                return  # Earlier results stay until these are whole.
            shown.extend(_drawn_in(staging))
            with folder.replacing() as early:
                for name in shown:
                    shutil.copy(staging / name, early)
            _print_pictures(folder, [*shown, *of_training])

        judge = verifier and replace(verifier, before=show)
        figures = present(mode.run(config, model, data, judge, staging))
        drawing.close()
        if config.nll_samples:
            show()
        with telling(f"Measuring {len(data.x_test):,} test images"):
            measured = figures_on_test(model, data, config.nll_samples)
        for watcher in watchers:
            title = title_of(recipe)
            drawn = plots.mode_history(watcher.counts, data.class_names, title=title)
            drawn.savefig(staging / "modes_over_training.png")
        known = model_figures(model) if config.weights else figures_of(recipe, model)
        sections["model"] = sections.get("model", known) | measured
        sections[config.mode] = figures
        write_figures(staging / "metrics.json", sections)
        made = _drawn_in(staging)
    if isinstance(model, GAN) and trained_here:
        print(balance_in(folder, model))
    times = {} if trained else folder.times()
    this_run = {name: sections[name] for name in ("model", config.mode)} | {"timing": times}
    if measures := table(this_run, {} if config.weights else recipe.published()):
        print(measures)
    if later := [name for name in (made if shown else [*made, *of_training]) if name not in shown]:
        _print_pictures(folder, later)
    return figures


def _drawn_in(staging: Path) -> list[str]:
    """The names of the pictures, in the order in which they were drawn."""
    pictures = (path for path in staging.iterdir() if path.suffix in PICTURES)
    return [path.name for path in sorted(pictures, key=lambda path: path.stat().st_mtime_ns)]


def _print_pictures(folder: RunFolder, names: list[str]) -> None:
    say(f"Pictures in {folder.path}: {', '.join(names)}")


def balance_in(folder: RunFolder, model: GAN) -> str:
    """How the players stood at the end of the training in a folder."""
    path = folder.path / "history.csv"
    try:
        return balance(pd.read_csv(path), model.metric_kinds)
    except (OSError, ValueError, OverflowError) as error:
        return f"How the players stood is unknown, as {path} cannot be read ({error})."


def _zoo_weights(config: RunConfig) -> Weights | None:
    """The zoo's weights for this run, unless something else is asked for or in the folder."""
    recipe, folder = config.recipe, RunFolder(config.folder, {})
    if config.retrain or config.resume or folder.model.exists() or folder.has_backup():
        return None
    drop_class = recipe.data_options.get("drop_class")
    given = {} if drop_class is None else {"drop_class": drop_class}
    own = recipe == Recipe.of_preset(recipe.preset, **given)
    return weights_of(recipe.preset, drop_class) if own else None


def _load_weights(model_class: type[ImageModel], path: Path) -> ImageModel:
    model = model_class.load(path)
    if type(model) is not model_class:
        raise InputError(f"{path} holds {type(model).__name__}, not {model_class.__name__}.")
    print(f"Loaded {path}.")
    return model


def _load_trained(model_class: type[ImageModel], folder: RunFolder) -> ImageModel | None:
    """The model that this recipe trained here before, if there is one."""
    if (path := folder.trained_model()) is None:
        return None
    try:
        model = model_class.load(path)
    except InputError as error:
        raise InputError(f"{error} --retrain trains it again.") from error
    print(f"Loaded {path}; --retrain trains it again.")
    return model


def _origin_of_weights(config: RunConfig, path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    recipe = config.recipe
    return {
        "weights": str(path),
        "sha256": digest,
        "model": recipe.model,
        "data": recipe.data,
        "data_options": recipe.data_options,
    }
