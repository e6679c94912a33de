"""The mode `basic`: reconstructions of test images."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.commands.config import RunConfig
from common.commands.titles import title_of
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
    title = title_of(config.recipe, config.weights)
    images = np.asarray(data.x_test[:RECONSTRUCTED])
    drawn = plots.reconstructions(images, model.reconstruct(images), title=f"{title}: test images")
    drawn.savefig(folder / "reconstructions.png")
    if model.code_shape == (2,) and (data.num_classes or 0) <= NAMEABLE_CLASSES:
        draw_plane(model.encode(data.x_test), data.y_test, data, folder, title)
    if verifier is None or data.y_test is None:
        return {}
    return verifier.reconstruction_figures(model.reconstruct(data.x_test), data.y_test)


def draw_plane(
    codes: np.ndarray, labels: np.ndarray | None, data: ImageData, folder: Path, title: str
) -> None:
    """Codes (N, 2) as points, coloured by class where there are labels, int (N,)."""
    names, means = data.class_names or None, labels is not None
    title += ": codes of test images"
    drawn = plots.latent_space(codes, labels, names, means, title)
    drawn.savefig(folder / "latent.png")
