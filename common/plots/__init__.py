"""Pictures: arrays or a history in, a matplotlib Figure out.

A figure shows itself as the last expression of a notebook's cell and is written by
`figure.savefig(path)`; nothing has to be closed. `figure.keep(path)` does both: it writes the
figure, makes the folder, and returns it.

Images have 1 or 3 channels and are uint8 or floats in [0, 1]. Images or codes of another shape or
range raise an `InputError`.
"""

from common.plots.animation import animation
from common.plots.anomaly import held_out_scores, roc_curve
from common.plots.curves import loss_curves
from common.plots.grids import (
    image_grid,
    nearest_neighbours,
    originals_and_samples,
    reconstructions,
)
from common.plots.latent import latent_space, tsne
from common.plots.modes import mode_histogram, mode_history
from common.plots.traversals import interpolation, manifold, traversals

__all__ = [
    "animation",
    "held_out_scores",
    "image_grid",
    "interpolation",
    "latent_space",
    "loss_curves",
    "manifold",
    "mode_histogram",
    "mode_history",
    "nearest_neighbours",
    "originals_and_samples",
    "reconstructions",
    "roc_curve",
    "traversals",
    "tsne",
]
