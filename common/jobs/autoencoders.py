"""What the modes show and measure of an `AE` or `VAE`."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.mixture import GaussianMixture

from common import plots
from common.datasets import ImageData
from common.models import AE, VAE
from common.models.inputs import unit_range

SHOWN = 64
MIXTURE_COMPONENTS = 50
FITTED_CODES = 20_000


def evaluate(model: AE, data: ImageData) -> dict:
    """The flat figures of the test set."""
    labels = None if model.num_classes is None else data.y_test
    terms = model.evaluate(data.x_test, labels, verbose=0)
    errors = np.square(unit_range(data.x_test) - model.reconstruct(data.x_test))
    kl = terms.get("kl_loss")
    in_nats = model.likelihood != "squared_error"
    elbo = terms["reconstruction_loss"] + kl if kl is not None and in_nats else None
    return {
        "test_mse": float(errors.mean()),
        "test_negative_elbo": elbo,
        "test_reconstruction": terms["reconstruction_loss"],
        "test_kl": kl,
        "classifier_accuracy": terms.get("classifier_accuracy"),
    }


def draw(mode: str, model: AE, data: ImageData, folder: Path) -> None:
    """The mode's pictures."""
    if mode == "basic":
        images = data.x_test[:10]
        plots.reconstructions(images, model.reconstruct(images)).savefig(
            folder / "reconstructions.png"
        )
        if model.latent_dim == 2:
            codes = model.encode(data.x_test)
            plots.latent_space(codes, data.y_test, data.class_names).savefig(folder / "latent.png")
        return
    prior = isinstance(model, VAE)
    samples = model.sample(SHOWN, seed=0) if prior else sample_mixture(model, data)
    plots.image_grid(samples).savefig(folder / "samples.png")
    if not prior:
        title = "codes drawn from N(0, I): an autoencoder knows no prior"
        plots.image_grid(model.sample(SHOWN, seed=0), title=title).savefig(
            folder / "samples_of_random_codes.png"
        )
    if model.latent_dim == 2:
        codes = None if prior else model.encode(data.x_train[:FITTED_CODES])
        plots.manifold(model.decode, codes=codes).savefig(folder / "manifold.png")


def sample_mixture(model: AE, data: ImageData) -> np.ndarray:
    """Images of codes drawn from a Gaussian mixture fitted to the training images' codes."""
    # In float32 the covariances of narrow components come out as not positive.
    codes = model.encode(data.x_train[:FITTED_CODES]).astype(np.float64)
    components = min(MIXTURE_COMPONENTS, len(codes) // 10 or 1)
    mixture = GaussianMixture(components, reg_covar=1e-4, random_state=0).fit(codes)
    return model.decode(mixture.sample(SHOWN)[0])


def remarks(figures: dict, history: pd.DataFrame | None) -> list[str]:
    """Sentences about the training; none for autoencoders."""
    return []
