"""The command line's jobs: train or load, then evaluate and draw, then put the results in place."""

import argparse
import json
from pathlib import Path

import pandas as pd

from common import models, plots
from common.cli import MODELS
from common.jobs import autoencoders, gans
from common.jobs.recipe import recipe_of
from common.jobs.results import Results
from common.jobs.training import Trained, load_data, train


def run(arguments: argparse.Namespace) -> None:
    """Do what a checked command line asks for, and print the figures and where the pictures are.

    Raises:
        InputError: something given cannot be used; nothing was changed.
    """
    recipe = recipe_of(arguments)
    folder = arguments.output or Path("results", f"{arguments.model}-{recipe.data}")
    results = Results(folder, recipe)
    results.check_writable()
    data = load_data(recipe, arguments.data_dir)
    known = None if arguments.retrain else results.trained_model()
    if arguments.weights or known:
        path = arguments.weights or known
        trained = Trained(getattr(models, MODELS[arguments.model][0]).load(path))
        trained.model.check_data(data.image_shape)
        print(f"Loaded {path}; --retrain trains anew.")
    else:
        trained = train(recipe, data, results)
    job = autoencoders if isinstance(trained.model, models.AE) else gans
    before = results.metrics() if known else {}
    with results.replacing() as staging:
        figures = {**before, **trained.figures, **job.evaluate(trained.model, data)}
        if trained.history is not None:
            plots.loss_curves(trained.history).savefig(staging / "losses.png")
            plots.animation(trained.frames, staging / "training.gif")
            trained.history.to_csv(staging / "history.csv", index=False)
        history = trained.history if trained.history is not None else old_history(folder)
        job.draw(arguments.mode, trained.model, data, staging)
        if not known:
            trained.model.save(staging / "model.keras")
        (staging / "metrics.json").write_text(json.dumps(figures, indent=2) + "\n")
    for sentence in job.remarks(figures, history):
        print(sentence)
    print("\n".join(f"{name:>24}  {value}" for name, value in figures.items()))
    pictures = sorted(path.name for path in folder.glob("*.[pg][ni][gf]"))
    print(f"Pictures in {folder}: {', '.join(pictures)}")


def old_history(folder: Path) -> pd.DataFrame | None:
    """The history of the training whose model was loaded."""
    path = folder / "history.csv"
    return pd.read_csv(path) if path.is_file() else None
