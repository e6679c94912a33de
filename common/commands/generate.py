"""The mode `gen`: samples, and what they show."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots, zoo
from common.commands.config import RunConfig
from common.commands.titles import title_of
from common.commands.verifier import Verifier
from common.datasets import ImageData
from common.errors import InputError
from common.evaluation.codes import CodeMixture, encode_in_batches
from common.evaluation.coverage import nearest_images
from common.models import AE
from common.models.base import ImageModel
from common.models.gan import GAN

SHOWN = 64
COMPARED = 10
SAMPLES = 10_000


def check(config: RunConfig, data: ImageData) -> None:
    """Refuse too few samples or training images to measure anything.

    Raises:
        InputError: it says which.
    """
    if not zoo.MODELS[config.model].load().has_prior and len(data.x_train) < 2:
        raise InputError(
            "Got one training image; gen fits a distribution to an autoencoder's codes and needs "
            "at least two: raise --data-fraction, or give more images."
        )
    judged = config.verifier or config.recipe.dataset.verifier or data.usual_samples
    if judged and config.samples and config.samples < data.least_samples:
        raise InputError(
            f"Got --samples {config.samples}, too few to say anything about {data.name}; give at "
            f"least {data.least_samples}."
        )


def run(
    config: RunConfig, model: ImageModel, data: ImageData, verifier: Verifier | None, folder: Path
) -> dict[str, Any]:
    """Draw samples, and measure what they show.

    An autoencoder's codes are drawn from a Gaussian mixture over the training codes; samples of
    codes from N(0, I) stand beside them.
    """
    count = config.samples or data.usual_samples or (SAMPLES if verifier else SHOWN)
    drawn = samples = model.sample(count, seed=0)
    codes = None
    if not model.has_prior:
        codes = encode_in_batches(model.encode, data.x_train)
        mixed = CodeMixture(codes).sample(count)
        samples = model.decode(mixed.reshape(-1, *model.code_shape))
    title = title_of(config.recipe, config.weights)
    grid = plots.image_grid(samples[:SHOWN], title=f"{title}: samples")
    grid.savefig(folder / "samples.png")
    compared = samples[:COMPARED]
    nearest = data.x_train[nearest_images(compared, data.x_train)]
    pairs = plots.nearest_neighbours(compared, nearest, title)
    pairs.savefig(folder / "nearest.png")
    if isinstance(model, GAN):
        pair = plots.originals_and_samples(data.x_train[:25], samples[:25], title=title)
        pair.savefig(folder / "originals_and_samples.png")
    if isinstance(model, AE) and model.code_shape == (2,):
        drawn_plane = plots.manifold(model.decode, codes=codes, title=title)
        drawn_plane.savefig(folder / "manifold.png")
    figures = data.report_samples(samples)
    if verifier is not None:
        figures |= verifier.sample_figures(samples, folder)
    if model.has_prior:
        return figures
    return figures | _random_codes(drawn, verifier, folder, title)


def _random_codes(
    samples: np.ndarray, verifier: Verifier | None, folder: Path, title: str
) -> dict[str, Any]:
    """The figures of an autoencoder's samples from N(0, I)."""
    title += "\ncodes drawn from N(0, I): an autoencoder learns no prior"
    plots.image_grid(samples[:SHOWN], title=title).savefig(folder / "samples_of_random_codes.png")
    if verifier is None:
        return {}
    figures = verifier.sample_figures(samples)
    names = ("predictability", "class_coverage")
    return {f"{name}_of_random_codes": figures[name] for name in names}
