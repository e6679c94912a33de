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
from common.models import AE, VAE
from common.models.base import ImageModel
from common.models.gan import GAN

SHOWN = 64
COMPARED = 10
SAMPLES = 10_000
FEWEST_CODES = 2000
# What stands beside the samples, by whether the model has a prior.
OTHERS = {
    False: ("random_codes", "codes drawn from N(0, I): an autoencoder learns no prior"),
    True: ("code_mixture", "codes drawn from a Gaussian mixture over the training images' codes"),
}


def check(config: RunConfig, data: ImageData) -> None:
    """Refuse too few samples or training images to measure anything.

    Raises:
        InputError: it says which.
    """
    if "latent" in zoo.MODELS[config.model].modes and len(data.x_train) < 2:
        raise InputError(
            "Got one training image; gen fits a distribution to the codes and needs at least two: "
            "raise --data-fraction, or give more images."
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

    Beside those of codes from a VAE's prior stand those of a Gaussian mixture over the training
    images' codes; an autoencoder learns no prior, so its samples come from the mixture, and codes
    from N(0, I) stand beside them.
    """
    count = config.samples or data.usual_samples or (SAMPLES if verifier else SHOWN)
    samples, others, codes = draw(model, data, count)
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
        known = None if model.has_prior else codes
        plane = plots.manifold(model.decode, codes=known, title=title)
        plane.savefig(folder / "manifold.png")
    figures = data.report_samples(samples)
    if verifier is not None:
        figures |= verifier.sample_figures(samples, folder, title)
    if isinstance(model, AE):
        figures |= _others(others, verifier, folder, title, OTHERS[model.has_prior])
    return figures


def draw(
    model: Any, data: ImageData, count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Samples of a model; those of the other kind of `OTHERS`; the training images' codes.

    A GAN has one kind and no codes.
    """
    samples = model.sample(count, seed=seed)
    if not isinstance(model, AE):
        return samples, samples, None
    codes = training_codes(model, data)
    mixed = CodeMixture(codes).sample(count)
    others = model.decode(mixed.reshape(-1, *model.code_shape))
    return (samples, others, codes) if model.has_prior else (others, samples, codes)


def training_codes(model: AE, data: ImageData) -> np.ndarray:
    """Codes (N, D) of the training images; a VAE's are drawn, several times from few images."""
    if not isinstance(model, VAE):
        return encode_in_batches(model.encode, data.x_train)
    rng = np.random.default_rng(0)

    def drawn(images: np.ndarray) -> np.ndarray:
        z_mean, z_log_var = model.posterior(images)
        return z_mean + np.exp(0.5 * z_log_var) * rng.standard_normal(z_mean.shape, "float32")

    times = -(-FEWEST_CODES // len(data.x_train))
    return np.concatenate([encode_in_batches(drawn, data.x_train) for _ in range(times)])


def _others(
    samples: np.ndarray, verifier: Verifier | None, folder: Path, title: str, kind: tuple[str, str]
) -> dict[str, Any]:
    """The figures of samples of other codes, of a kind of `OTHERS`."""
    name, about = kind
    grid = plots.image_grid(samples[:SHOWN], title=f"{title}\n{about}")
    grid.savefig(folder / f"samples_of_{name}.png")
    if verifier is None:
        return {}
    figures = verifier.sample_figures(samples)
    return {
        f"{figure}_of_{name}": figures[figure] for figure in ("predictability", "class_coverage")
    }
