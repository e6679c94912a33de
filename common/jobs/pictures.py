"""What the mode `gen` draws of any model's samples."""

from pathlib import Path

import numpy as np

from common import plots
from common.datasets import ImageData
from common.evaluation.neighbours import nearest_images

SHOWN = 64
COMPARED = 10


def draw_samples(samples: np.ndarray, data: ImageData, folder: Path) -> None:
    """The first samples (N, H, W, C), and below ten of them the training images nearest to them."""
    plots.image_grid(samples[:SHOWN]).savefig(folder / "samples.png")
    compared = samples[:COMPARED]
    neighbours = data.x_train[nearest_images(compared, data.x_train)]
    plots.nearest_neighbours(compared, neighbours).savefig(folder / "nearest.png")
