"""The mode `basic`: reconstructions of test images."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.commands.config import RunConfig
from common.commands.verifier import Verifier
from common.datasets import ImageData
from common.models import AE

RECONSTRUCTED = 10
NAMEABLE_CLASSES = 20


def check(config: RunConfig, data: ImageData) -> None:
    """Any test images can be reconstructed."""


def run(
    config: RunConfig, model: AE, data: ImageData, verifier: Verifier | None, folder: Path
) -> dict[str, Any]:
    """Draw reconstructions, and measure whether they still show the same classes."""
    images = np.asarray(data.x_test[:RECONSTRUCTED])
    drawn = plots.reconstructions(images, model.reconstruct(images))
    drawn.savefig(folder / "reconstructions.png")
    if model.code_shape == (2,) and (data.num_classes or 0) <= NAMEABLE_CLASSES:
        draw_plane(model.encode(data.x_test), data.y_test, data, folder)
    if verifier is None or data.y_test is None:
        return {}
    return verifier.reconstruction_figures(model.reconstruct(data.x_test), data.y_test)


def draw_plane(codes: np.ndarray, labels: np.ndarray | None, data: ImageData, folder: Path) -> None:
    """Codes (N, 2) as points, coloured by class where there are labels, int (N,)."""
    drawn = plots.latent_space(codes, labels, data.class_names or None, means=labels is not None)
    drawn.savefig(folder / "latent.png")
