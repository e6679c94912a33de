"""`anom --held-out all`: one model for each class left out, and the table of them."""

import argparse
import copy
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from common import plots

DIGITS = range(10)
FIGURES = ("auroc", "average_precision")


def table_of_digits(
    arguments: argparse.Namespace, folder: Path, run_one: Callable[[argparse.Namespace], dict]
) -> None:
    """Hold out each of the ten classes in turn; write `held_out.csv`, its means and a picture.

    Args:
        arguments: of the command line.
        folder: for the table, and in it one for each class.
        run_one: trains and scores one model and returns its figures.
    """
    rows = []
    for digit in DIGITS:
        one = copy.copy(arguments)
        one.held_out, one.output = digit, folder / f"without-{digit}"
        rows.append(run_one(one))
    table = pd.DataFrame(rows).set_index("held_out")
    scores = [name for name in table if name.startswith(FIGURES)]
    table = table[scores]
    table.to_csv(folder / "held_out.csv")
    plots.held_out_scores(table["auroc"]).savefig(folder / "held_out.png")
    means = {name: float(table[name].mean()) for name in scores}
    (folder / "metrics.json").write_text(
        json.dumps({"held_out": "all", "score": rows[0]["score"], **means}, indent=2) + "\n"
    )
    print(table.round(3).T.to_string())
    print("means: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    print(f"Table and picture in {folder}: held_out.csv, held_out.png")
