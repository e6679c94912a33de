"""What the modes `basic` and `gen` show and measure of an `AE` or `VAE`."""

import math
from pathlib import Path

import numpy as np

from common import plots
from common.datasets import ImageData
from common.evaluation.blocks import unit_blocks
from common.evaluation.likelihood import importance_weighted_nll
from common.jobs.mixture import known_codes, sample_mixture
from common.jobs.pictures import SHOWN, draw_samples
from common.jobs.verification import Judge
from common.models import AE, VAE
from common.models.inputs import UnitRange

RECONSTRUCTED = 10
NAMEABLE_CLASSES = 20


def evaluate(model: AE, data: ImageData, nll_samples: int) -> dict:
    """The flat figures of the test set, in any mode."""
    labels = None if model.num_classes is None else data.y_test
    terms = model.evaluate(data.x_test, labels, verbose=0)
    squared = 0.0
    for _, images in unit_blocks(data.x_test):
        squared += float(np.square(images - model.reconstruct(images)).sum())
    kl = terms.get("kl_loss")
    in_nats = model.likelihood != "squared_error"
    elbo = terms["reconstruction_loss"] + kl if kl is not None and in_nats else None
    figures = {
        "test_mse": squared / math.prod(data.x_test.shape),
        "test_negative_elbo": elbo,
        "test_reconstruction": terms["reconstruction_loss"],
        "test_kl": kl,
        "classifier_accuracy": terms.get("classifier_accuracy"),
    }
    if nll_samples:
        images = UnitRange(data.x_test)
        nll = importance_weighted_nll(images, model.posterior, model.log_likelihood, nll_samples)
        figures |= {"nll": float(nll.mean()), "nll_samples": nll_samples}
    return figures


def basic(model: AE, data: ImageData, judge: Judge | None, folder: Path) -> dict:
    """Reconstructions of test images, and whether they still show the same classes."""
    images = np.asarray(data.x_test[:RECONSTRUCTED])
    drawn = plots.reconstructions(images, model.reconstruct(images))
    drawn.savefig(folder / "reconstructions.png")
    if model.code_shape == (2,) and (data.num_classes or 0) <= NAMEABLE_CLASSES:
        codes = model.encode(data.x_test)
        means = data.y_test is not None
        drawn = plots.latent_space(codes, data.y_test, data.class_names, means)
        drawn.savefig(folder / "latent.png")
    if judge is None:
        return {}
    return judge.of_reconstructions(model.reconstruct(data.x_test), data.y_test)


def gen(model: AE, data: ImageData, judge: Judge | None, count: int, folder: Path) -> dict:
    """`count` samples, and what they show; of an autoencoder also those of plain random codes."""
    prior = isinstance(model, VAE)
    drawn = model.sample(count, seed=0)
    samples = drawn if prior else sample_mixture(model, data.x_train, count)
    draw_samples(samples, data, folder)
    if model.code_shape == (2,):
        codes = None if prior else known_codes(model, data.x_train)
        plots.manifold(model.decode, codes=codes).savefig(folder / "manifold.png")
    figures = {} if judge is None else judge.of_samples(samples, folder)
    if prior:
        return figures
    title = "codes drawn from N(0, I): an autoencoder knows no prior"
    plots.image_grid(drawn[:SHOWN], title=title).savefig(folder / "samples_of_random_codes.png")
    if judge is not None:
        plain = judge.of_samples(drawn)
        for name in ("predictability", "class_coverage"):
            figures[f"{name}_of_random_codes"] = plain[name]
    return figures
