"""The mode `latent`: the latent space of a model with an encoder, drawn from several sides."""

from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.commands.config import RunConfig
from common.commands.reconstruct import NAMEABLE_CLASSES, draw_plane
from common.commands.titles import title_of
from common.commands.verifier import Verifier
from common.datasets import ImageData
from common.errors import InputError
from common.evaluation.codes import flat, traversal_codes
from common.models import AE
from common.plots.latent import FEWEST_CODES

DRAWN_CODES = 5_000
STEPS = 11
PAIRS = 5


def check(config: RunConfig, data: ImageData) -> None:
    """Refuse too few test images.

    Raises:
        InputError: it says how many are needed.
    """
    if len(data.x_test) < FEWEST_CODES:
        raise InputError(
            f"Got {len(data.x_test)} test images; latent needs at least {FEWEST_CODES} codes to "
            "draw: raise --data-fraction, or give more images."
        )


def run(
    config: RunConfig, model: AE, data: ImageData, verifier: Verifier | None, folder: Path
) -> dict[str, Any]:
    """Draw a scatter or t-SNE of the test images' codes, traversals and interpolations.

    A traversal starts at the code of the first test image and moves one dimension, or one channel
    of a map, from its 5 % to its 95 % quantile; those that vary most are drawn.
    """
    codes = model.encode(np.asarray(data.x_test[:DRAWN_CODES]))
    labels, title = None, title_of(config.recipe, config.weights)
    if data.y_test is not None and len(data.class_names) <= NAMEABLE_CLASSES:
        labels = data.y_test[:DRAWN_CODES]
    if model.code_shape == (2,):
        draw_plane(codes, labels, data, folder, title)
        known = None if model.has_prior else codes
        plane = plots.manifold(model.decode, codes=known, title=title)
        plane.savefig(folder / "manifold.png")
    else:
        names = data.class_names or None
        points = plots.tsne(flat(codes), labels, names, f"{title}: codes of test images")
        points.savefig(folder / "tsne.png")
    shares = np.linspace(0.05, 0.95, STEPS).tolist()
    moved, dimensions = traversal_codes(codes, shares)
    images = _decoded(model, moved)
    order = "what each latent dimension changes, the largest variance first"
    rows = plots.traversals(images, shares, dimensions, f"{title}: {order}")
    rows.savefig(folder / "traversals.png")
    count = min(PAIRS, len(codes) // 2)
    between = np.linspace(codes[: 2 * count : 2], codes[1 : 2 * count : 2], STEPS, axis=1)
    ways = plots.interpolation(_decoded(model, between), f"{title}: between test images")
    ways.savefig(folder / "interpolation.png")
    return {}


def _decoded(model: AE, moved: np.ndarray) -> np.ndarray:
    """Images (rows, steps, H, W, C) of codes (rows, steps, *code_shape)."""
    images = model.decode(moved.reshape(-1, *model.code_shape))
    return images.reshape(*moved.shape[:2], *model.image_shape)
