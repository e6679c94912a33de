"""The mode `anom`: a model that never saw a class scores all test images."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from common import plots
from common.commands.config import RunConfig
from common.commands.run_folder import RunFolder, check_writable, write_figures
from common.commands.titles import title_of
from common.commands.train import load_data
from common.commands.verifier import Verifier
from common.datasets import ImageData
from common.errors import InputError
from common.evaluation.anomaly import (
    anomaly_report,
    held_out_mask,
    most_anomalous,
    prior_sample_nll,
    reconstruction_error,
    roc_points,
)
from common.evaluation.codes import CodeMixture, code_distance, encode_in_batches, flat
from common.evaluation.likelihood import importance_weighted_nll
from common.images import unit_range
from common.models import AE, VAE
from common.models.likelihoods import Bernoulli

PRIOR_SAMPLES = 10_000
IMPORTANCE_SAMPLES = 50
LONGEST_NAME = 14
TABLE_FIGURES = ("auroc", "average_precision")


def check(config: RunConfig, data: ImageData) -> None:
    """Refuse a class that the test images do not show, or more images than there are.

    Raises:
        InputError: it says which.
    """
    held_out_mask(data.shown_classes(), int(config.held_out))
    if config.k > len(data.x_test):
        raise InputError(f"Got --k {config.k}; there are {len(data.x_test)} test images.")


def run(
    config: RunConfig, model: AE, data: ImageData, verifier: Verifier | None, folder: Path
) -> dict[str, Any]:
    """Measure how well every score finds the held-out class, and draw what the chosen one finds.

    An image with several channels is an anomaly if one of them shows the class.
    """
    mask = held_out_mask(data.shown_classes(), int(config.held_out))
    scores = dict(scores_of(model, data))
    if config.score not in scores:
        raise InputError(
            f"This model has no {config.score}; choose a --score from {', '.join(scores)}."
        )
    chosen = scores[config.score]
    top = most_anomalous(chosen, config.k)
    names = [_shortened(name) for name in data.class_names]
    shown = np.asarray(data.y_test)[top]
    captions = [f"{names[c]}\n{score:.3g}" for c, score in zip(shown, chosen[top], strict=True)]
    title = title_of(config.recipe, config.weights)
    held_out = f"class {_name_of(data, int(config.held_out))}"
    heading = (
        f"{title}\nmost anomalous by {in_words(config.score)}\n"
        f"framed: {held_out}, held out ({mask[top].sum()} of {len(top)})"
    )
    looks = {"title": heading, "captions": captions, "framed": mask[top]}
    grid = plots.image_grid(data.x_test[top], **looks)
    grid.savefig(folder / "most_anomalous.png")
    report = anomaly_report(chosen, mask)
    areas = {name: anomaly_report(values, mask)["auroc"] for name, values in scores.items()}
    curves = {
        in_words(name): (*roc_points(values, mask), areas[name]) for name, values in scores.items()
    }
    label = in_words(config.score)
    title += f": finding {held_out}"
    plots.roc_curve(*curves.pop(label), label, curves, title).savefig(folder / "roc.png")
    figures = {**report, "held_out": config.held_out, "score": config.score}
    return figures | {f"auroc_{name}": area for name, area in areas.items()}


def in_words(score: str) -> str:
    """A score's name as pictures show it."""
    return score.replace("_", " ").replace("elbo", "ELBO").replace("nll", "NLL")


def scores_of(model: AE, data: ImageData) -> Iterator[tuple[str, np.ndarray]]:
    """The names and values (N,) of all scores of the test images that this model can give.

    The higher, the more anomalous; `zoo.SCORES` says what each is.
    """
    images = unit_range(np.asarray(data.x_test))
    reconstructed = model.reconstruct(images)
    yield "squared_error", reconstruction_error(images, reconstructed)
    yield (
        "cross_entropy",
        reconstruction_error(images, reconstructed, Bernoulli().natural_parameters),
    )
    known = encode_in_batches(model.encode, data.x_train)
    mixture = CodeMixture(known)
    # A likelihood of one's own has none.
    if (natural_parameters := getattr(model.pixels, "natural_parameters", None)) is not None:
        if model.has_prior:
            samples = model.sample(PRIOR_SAMPLES, seed=0)
        else:
            samples = model.decode(mixture.sample(PRIOR_SAMPLES).reshape(-1, *model.code_shape))
        yield "prior_sample_nll", prior_sample_nll(images, samples, natural_parameters)
    if isinstance(model, VAE):
        yield "negative_elbo", model.negative_elbo(images)
        nll = importance_weighted_nll(
            images, model.posterior, model.log_likelihood, IMPORTANCE_SAMPLES
        )
        yield "importance_nll", nll
    codes = flat(model.encode(images))
    yield "code_density", mixture.nll(codes)
    yield "code_distance", code_distance(known, codes)
    if model.num_classes:
        yield "class_uncertainty", 1.0 - model.classify(images).max(axis=1)


def run_all(config: RunConfig, run_one: Callable[[RunConfig], dict[str, Any]]) -> None:
    """Leave out each class in turn; write `held_out.csv`, its means and a picture.

    Args:
        config: with `held_out="all"`.
        run_one: trains and scores one model and returns its figures.

    Raises:
        InputError: what any class is refused for, before the first training, or a folder that
            holds another model's results.
    """
    check_writable(config.folder)
    data = load_data(config.recipe)
    config = replace(config, recipe=config.recipe.for_images(len(data.x_train)))
    folder = RunFolder(config.folder, {**asdict(config.recipe), "held_out": "all"})
    folder.check_no_model()
    runs = [
        config.without(held_out, config.folder / f"without-{held_out}")
        for held_out in data.separable_classes
    ]
    for one in runs:
        check(one, data)
    with folder.in_use():
        _write_table(config, folder, [run_one(one) for one in runs])


def _write_table(config: RunConfig, folder: RunFolder, rows: list[dict[str, Any]]) -> None:
    table = pd.DataFrame(rows).set_index("held_out")
    table = table[[name for name in table if name.startswith(TABLE_FIGURES)]]
    means = {name: float(table[name].mean()) for name in table}
    with folder.replacing() as staging:
        table.to_csv(staging / "held_out.csv")
        title = f"{title_of(config.recipe, config.weights)}, by {in_words(config.score)}"
        plots.held_out_scores(table["auroc"], title).savefig(staging / "held_out.png")
        figures = {"held_out": "all", "score": config.score, **means}
        write_figures(staging / "metrics.json", {"anom": figures})
    print(table.round(3).T.to_string())
    print("means: " + ", ".join(f"{name} {value:.3f}" for name, value in means.items()))
    print(f"Table and picture in {folder.path}: held_out.csv, held_out.png")


def _name_of(data: ImageData, held_out: int) -> str:
    """The class's name; its number where images show several classes at once."""
    named = len(data.class_names) == len(data.separable_classes)
    return _shortened(data.class_names[held_out] if named else str(held_out))


def _shortened(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
