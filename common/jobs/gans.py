"""What the mode `gen` shows and measures of a GAN."""

from pathlib import Path

from common import plots
from common.datasets import ImageData, PolynomialData
from common.evaluation.neighbours import nearest_images
from common.evaluation.polynomials import polynomial_report
from common.jobs.verification import Judge
from common.models.gan import TwoPlayerModel

SHOWN = 64
COMPARED = 10


def gen(
    model: TwoPlayerModel, data: ImageData, judge: Judge | None, count: int, folder: Path
) -> dict:
    """`count` samples: what they show, or on polynomials how polynomial and varied they are."""
    samples = model.sample(count, seed=0)
    plots.image_grid(samples[:SHOWN]).savefig(folder / "samples.png")
    plots.originals_and_samples(data.x_train[:25], samples[:25]).savefig(
        folder / "originals_and_samples.png"
    )
    nearest = nearest_images(samples[:COMPARED], data.x_train)
    plots.nearest_neighbours(samples[:COMPARED], data.x_train[nearest]).savefig(
        folder / "nearest.png"
    )
    if isinstance(data, PolynomialData):
        return polynomial_report(data.x_train, samples)
    return {} if judge is None else judge.of_samples(samples, folder)
