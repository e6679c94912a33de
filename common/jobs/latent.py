"""The mode `latent`: what the codes of an `AE` or `VAE` say, drawn from several sides."""

from pathlib import Path

import numpy as np

from common import plots
from common.datasets import ImageData
from common.evaluation.codes import flat, traversal_codes
from common.models import AE, VAE

DRAWN_CODES = 5_000
STEPS = 11
WAYS = 5


def latent(model: AE, data: ImageData, folder: Path) -> dict:
    """A scatter or t-SNE of the test images' codes, traversals and interpolations.

    The traversals start from the code of the first test image and take one dimension at a time, of
    those that vary most, from its 5 % to its 95 % quantile; of a map a channel as a whole.
    """
    images = np.asarray(data.x_test[:DRAWN_CODES])
    labels = None if data.y_test is None or data.num_classes > 20 else data.y_test[:DRAWN_CODES]
    codes = model.encode(images)
    vectors = flat(codes)
    names = data.class_names or None
    if model.code_shape == (2,):
        drawn = plots.latent_space(vectors, labels, names, means=labels is not None)
        drawn.savefig(folder / "latent.png")
        known = None if isinstance(model, VAE) else vectors
        plots.manifold(model.decode, codes=known).savefig(folder / "manifold.png")
    else:
        plots.tsne(vectors, labels, names).savefig(folder / "tsne.png")
    shares = np.linspace(0.05, 0.95, STEPS)
    walks, dimensions = traversal_codes(codes, shares)
    decoded = model.decode(walks.reshape(-1, *model.code_shape))
    decoded = decoded.reshape(*walks.shape[:2], *data.image_shape)
    plots.traversals(decoded, shares, dimensions).savefig(folder / "traversals.png")
    ways = [
        np.linspace(codes[2 * way], codes[2 * way + 1], STEPS)
        for way in range(min(WAYS, len(codes) // 2))
    ]
    decoded = model.decode(np.concatenate(ways)).reshape(len(ways), STEPS, *data.image_shape)
    plots.interpolation(decoded).savefig(folder / "interpolation.png")
    return {}
