"""What the mode `gen` shows and measures of a GAN."""

from pathlib import Path

from common import plots
from common.datasets import ImageData, PolynomialData
from common.evaluation.polynomials import polynomial_report
from common.jobs.pictures import draw_samples
from common.jobs.verification import Judge
from common.models.gan import TwoPlayerModel


def gen(
    model: TwoPlayerModel, data: ImageData, judge: Judge | None, count: int, folder: Path
) -> dict:
    """`count` samples: what they show, or on polynomials how polynomial and varied they are."""
    samples = model.sample(count, seed=0)
    draw_samples(samples, data, folder)
    plots.originals_and_samples(data.x_train[:25], samples[:25]).savefig(
        folder / "originals_and_samples.png"
    )
    if isinstance(data, PolynomialData):
        return polynomial_report(data.x_train, samples)
    return {} if judge is None else judge.of_samples(samples, folder)
