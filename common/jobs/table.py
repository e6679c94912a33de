"""`anom --held-out all`: one model for each class left out, and the table of them."""

import argparse
import copy
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from common import plots
from common.jobs.anomalies import classes_of
from common.jobs.checks import check_figures
from common.jobs.recipe import recipe_of
from common.jobs.results import Results
from common.jobs.training import load_data, write_metrics

FIGURES = ("auroc", "average_precision")


def table_of_classes(
    arguments: argparse.Namespace, folder: Path, run_one: Callable[[argparse.Namespace], dict]
) -> None:
    """Hold out each class in turn; write `held_out.csv`, its means and a picture.

    Args:
        arguments: of the command line.
        folder: for the table, and in it one for each class.
        run_one: trains and scores one model and returns its figures.

    Raises:
        InputError: what any of the classes is refused for, before the first is trained without, or
            a folder in which another model's results are.
    """
    recipe = recipe_of(arguments)
    results = Results(folder, {**asdict(recipe), "held_out": "all"})
    results.check_no_model()
    results.check_writable()
    data = load_data(recipe)
    runs = []
    for held_out in classes_of(data):
        one = copy.copy(arguments)
        one.held_out, one.output = held_out, folder / f"without-{held_out}"
        check_figures(one, recipe.arguments, data)
        runs.append(one)
    rows = [run_one(one) for one in runs]
    table = pd.DataFrame(rows).set_index("held_out")
    scores = [name for name in table if name.startswith(FIGURES)]
    table = table[scores]
    means = {name: float(table[name].mean()) for name in scores}
    with results.replacing() as staging:
        table.to_csv(staging / "held_out.csv")
        plots.held_out_scores(table["auroc"]).savefig(staging / "held_out.png")
        write_metrics(staging, {"held_out": "all", "score": rows[0]["score"], **means})
    print(table.round(3).T.to_string())
    print("means: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    print(f"Table and picture in {folder}: held_out.csv, held_out.png")
