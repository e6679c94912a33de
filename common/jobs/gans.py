"""What the mode `gen` shows and measures of a GAN."""

from pathlib import Path

import pandas as pd

from common import plots
from common.datasets import ImageData, PolynomialData
from common.evaluation.balance import balance
from common.evaluation.polynomials import polynomial_report
from common.models.gan import TwoPlayerModel

SHOWN = 64
MEASURED = 10_000


def evaluate(model: TwoPlayerModel, data: ImageData) -> dict:
    """The flat figures of samples: on polynomials, how polynomial and how varied they are."""
    if isinstance(data, PolynomialData):
        return polynomial_report(data.x_train, model.sample(MEASURED, seed=0))
    return {}


def draw(mode: str, model: TwoPlayerModel, data: ImageData, folder: Path) -> None:
    """The pictures of `gen`, the only mode."""
    samples = model.sample(SHOWN, seed=0)
    plots.image_grid(samples).savefig(folder / "samples.png")
    plots.originals_and_samples(data.x_train[:25], samples[:25]).savefig(
        folder / "originals_and_samples.png"
    )


def remarks(figures: dict, history: pd.DataFrame | None) -> list[str]:
    """How the players stood at the end."""
    return [] if history is None else [balance(history)]
