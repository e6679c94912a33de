"""What every mode measures on the test images."""

from typing import Any

import numpy as np

from common.datasets import ImageData
from common.evaluation.likelihood import importance_weighted_nll
from common.images import UnitRange, unit_batches
from common.models import AE, VAE
from common.models.base import ImageModel


def figures_on_test(model: ImageModel, data: ImageData, nll_samples: int) -> dict[str, Any]:
    """Errors and likelihoods of a model with an encoder, per image; none of a GAN.

    Args:
        model: trained.
        data: whose test images are measured.
        nll_samples: importance samples per image for -log p(x); 0 leaves it out.
    """
    if not isinstance(model, AE):
        return {}
    terms = model.evaluate(data.x_test, data.y_test if model.num_classes else None, verbose=0)
    figures = {
        "test_mse": float(squared_errors(model, data).mean()),
        "test_reconstruction": terms["reconstruction_loss"],
    }
    if (kl := terms.get("kl_loss")) is not None:
        figures["test_kl"] = kl
        if model.pixels.in_nats:
            figures["test_negative_elbo"] = terms["reconstruction_loss"] + kl
    if "classifier_accuracy" in terms:
        figures["classifier_accuracy"] = terms["classifier_accuracy"]
    if nll_samples and isinstance(model, VAE):
        nll = importance_weighted_nll(
            UnitRange(data.x_test), model.posterior, model.log_likelihood, nll_samples
        )
        figures |= {"nll": float(nll.mean()), "nll_samples": nll_samples}
    return figures


def squared_errors(model: AE, data: ImageData) -> np.ndarray:
    """The mean squared error of each test image's reconstruction, float64 (N,)."""
    return np.concatenate(
        [
            np.square(images - model.reconstruct(images)).mean(axis=(1, 2, 3), dtype=np.float64)
            for _, images in unit_batches(data.x_test)
        ]
    )
