"""The command line's jobs: train or load, then evaluate and draw, then put the results in place."""

import argparse
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from common import models, plots
from common.datasets import ImageData
from common.evaluation.balance import balance
from common.jobs import anomalies, autoencoders, gans
from common.jobs.checks import check_figures
from common.jobs.latent import latent
from common.jobs.loading import load_trained, load_weights, origin_of
from common.jobs.recipe import Recipe, recipe_of
from common.jobs.results import Results
from common.jobs.table import table_of_classes
from common.jobs.training import (
    OF_MODEL,
    OF_TRAINING,
    build,
    load_data,
    model_figures,
    train,
    write_metrics,
)
from common.jobs.verification import Judge, judge_of, samples_for
from common.jobs.watch import mode_watchers
from common.models.base import ImageModel
from common.models.gan import TwoPlayerModel


def run(arguments: argparse.Namespace) -> None:
    """Do what a checked command line asks for, and print the figures and where the pictures are.

    Raises:
        InputError: something given cannot be used; nothing was changed.
    """
    if arguments.mode == "anom" and arguments.held_out == "all":
        table_of_classes(arguments, folder_of(arguments, recipe_of(arguments)), run_one)
    else:
        run_one(arguments)


def run_one(arguments: argparse.Namespace) -> dict:
    """`run` for one model; returns its figures."""
    recipe = recipe_of(arguments)
    folder = folder_of(arguments, recipe)
    kind = getattr(models, recipe.model)
    given = None
    if arguments.weights is not None:
        given = load_weights(kind, arguments.weights)
    results = Results(folder, asdict(recipe) if given is None else origin_of(arguments, recipe))
    if given is not None:
        results.check_no_model()
    results.check_writable()
    data = load_data(recipe)
    if given is None and data.content is not None:
        results.origin["data_content"] = data.content
    model = given or (None if arguments.retrain else load_trained(kind, results))
    if model is None:
        build(recipe, data)  # What cannot be built is refused before a net is trained to judge it.
    else:
        model.check_data(data.image_shape)
    check_figures(arguments, model.get_config() if model else recipe.arguments, data)
    judge = None
    if arguments.mode in ("basic", "gen"):
        judge = judge_of(arguments, data, recipe)
    watchers = []
    if model is None:
        if issubclass(kind, TwoPlayerModel):
            watchers = mode_watchers(judge, recipe)
        model = train(recipe, data, results, watchers)
    known = model_figures(model) if given else results.metrics()
    figures = {"mode": arguments.mode} | {name: known.get(name) for name in OF_TRAINING + OF_MODEL}
    with results.replacing() as staging:
        figures |= present(arguments, model, data, judge, staging)
        for watcher in watchers:
            drawn = plots.mode_history(watcher.counts, data.class_names)
            drawn.savefig(staging / "modes_over_training.png")
        write_metrics(staging, figures)
    if isinstance(model, TwoPlayerModel) and not given:
        print(balance(pd.read_csv(folder / "history.csv")))
    print("\n".join(f"{name:>28}  {value}" for name, value in figures.items()))
    pictures = sorted(path.name for path in folder.iterdir() if path.suffix in (".png", ".gif"))
    print(f"Pictures in {folder}: {', '.join(pictures)}")
    return figures


def folder_of(arguments: argparse.Namespace, recipe: Recipe) -> Path:
    """Where the results of a command line go."""
    name = f"{arguments.model}-{recipe.data_name}"
    if arguments.mode == "anom":
        name += f"-without-{arguments.held_out}"
    if arguments.weights is not None:
        name += "-weights"
    return arguments.output or Path("results", name)


def present(
    arguments: argparse.Namespace,
    model: ImageModel,
    data: ImageData,
    judge: Judge | None,
    folder: Path,
) -> dict:
    """The mode's figures; its pictures are drawn into the folder."""
    count = samples_for(arguments, judge, data)
    if isinstance(model, TwoPlayerModel):
        return gans.gen(model, data, judge, count, folder)
    figures = autoencoders.evaluate(model, data, arguments.nll_samples)
    if arguments.mode == "basic":
        return figures | autoencoders.basic(model, data, judge, folder)
    if arguments.mode == "gen":
        return figures | autoencoders.gen(model, data, judge, count, folder)
    if arguments.mode == "latent":
        return figures | latent(model, data, folder)
    return figures | anomalies.anom(
        model, data, arguments.held_out, arguments.score, arguments.k, folder
    )
