"""The mode `anom`: a model that never saw a class scores all test images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from common import plots
from common.datasets import ImageData, StackedMNISTData
from common.errors import InputError
from common.evaluation.anomaly import (
    anomaly_report,
    held_out_mask,
    most_anomalous,
    prior_sample_nll,
    reconstruction_error,
    roc_points,
)
from common.evaluation.codes import code_density, code_distance, flat
from common.evaluation.likelihood import importance_weighted_nll
from common.jobs.mixture import known_codes, sample_mixture
from common.models import AE, VAE
from common.models.inputs import unit_range
from common.models.likelihoods import VARIANCES

PRIOR_SAMPLES = 10_000
IMPORTANCE_SAMPLES = 50


def shown_classes(data: ImageData) -> np.ndarray:
    """The classes of the test images, int (N,); of stacked digits those of each channel, (N, 3)."""
    if not isinstance(data, StackedMNISTData):
        return data.y_test
    return data.y_test[:, None] // np.array([1, 10, 100]) % 10


def classes_of(data: ImageData) -> range:
    """The classes that can be left out: of stacked digits the ten of a channel.

    Raises:
        InputError: data without labels.
    """
    if data.num_classes is None:
        raise InputError(f"{data.origin} has no labels, of which anom leaves one out.")
    return range(10 if isinstance(data, StackedMNISTData) else data.num_classes)


def scores_of(model: AE, data: ImageData) -> Iterator[tuple[str, np.ndarray]]:
    """The names and values (N,) of all scores of the test images that this model can give.

    The higher, the stranger; `common.cli.SCORES` says what each is.
    """
    images = unit_range(np.asarray(data.x_test))
    reconstructed = model.reconstruct(images)
    yield "squared_error", reconstruction_error(images, reconstructed, "gaussian")
    yield "cross_entropy", reconstruction_error(images, reconstructed, "bernoulli")
    prior = isinstance(model, VAE)
    samples = (
        model.sample(PRIOR_SAMPLES, seed=0)
        if prior
        else sample_mixture(model, data.x_train, PRIOR_SAMPLES)
    )
    yield "prior_sample_nll", prior_sample_nll(images, samples, VARIANCES.get(model.likelihood))
    if prior:
        yield "negative_elbo", model.negative_elbo(images)
        yield (
            "importance_nll",
            importance_weighted_nll(
                images, model.posterior, model.log_likelihood, IMPORTANCE_SAMPLES
            ),
        )
    known = known_codes(model, data.x_train)
    codes = flat(model.encode(images))
    yield "code_density", code_density(known, codes)
    yield "code_distance", code_distance(known, codes)
    if model.num_classes:
        yield "class_uncertainty", 1.0 - model.classify(images).max(axis=1)


def anom(
    model: AE, data: ImageData, held_out: int, score: str | None, k: int, folder: Path
) -> dict:
    """The figures of every score, and pictures of the chosen one.

    Args:
        model: trained without the class.
        data: with the class among the test images; of stacked digits one channel is enough.
        held_out: the class.
        score: the name of the one to show and to call `auroc`; None for "code_density".
        k: how many of the most anomalous images to draw.
        folder: where the pictures go.
    """
    mask = held_out_mask(shown_classes(data), held_out)
    scores = dict(scores_of(model, data))
    score = score or "code_density"
    chosen = scores[score]
    strangest = most_anomalous(chosen, k)
    names = [name if len(name) < 15 else f"{name[:13]}…" for name in data.class_names]
    captions = [f"{names[data.y_test[i]]}\n{chosen[i]:.3g}" for i in strangest]
    title = f"The {k} most anomalous by {score.replace('_', ' ')}: class and score"
    plots.image_grid(data.x_test[strangest], title=title, captions=captions).savefig(
        folder / "most_anomalous.png"
    )
    report = anomaly_report(chosen, mask)
    plots.roc_curve(*roc_points(chosen, mask), report["auroc"]).savefig(folder / "roc.png")
    figures = {**report, "held_out": held_out, "score": score}
    for name, values in scores.items():
        figures[f"auroc_{name}"] = anomaly_report(values, mask)["auroc"]
    return figures
