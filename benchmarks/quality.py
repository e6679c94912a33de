"""Tasks of `time_to_quality.py`: the data, the figure on validation images, and its bar.

Ours and the seeds' recipes answer the same verbs (`reconstruct`, `posterior` and `decode`,
`classify`, `sample`) in NumPy arrays, so that the same lines measure both.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from common import datasets, presets
from common.evaluation.modes import kl_to_uniform, mode_histogram, modes_covered
from common.evaluation.polynomials import outside_span, polynomial_report
from common.evaluation.predictability import predictability, predicted_classes
from common.images import unit_range

VALIDATION = 5_000
SAMPLES = 10_000
SMALLEST_PROBABILITY = 1e-7

Figures = dict[str, float]


@dataclass(frozen=True)
class Bar:
    """What a figure must reach."""

    figure: str
    relation: str
    value: float

    def holds(self, figures: Mapping[str, float]) -> bool:
        """Whether it does; a figure that was not measured does not."""
        if self.figure not in figures:
            return False
        found = figures[self.figure]
        return found <= self.value if self.relation == "<=" else found >= self.value

    def __str__(self):
        return f"{self.figure} {self.relation} {self.value:g}"


@dataclass(frozen=True)
class Task:
    """A preset, a seed's recipe in `seeds.RECIPES` (None where there is none), and the bars."""

    preset: str
    seed: str | None
    measure: Callable[[Any, datasets.ImageData, Any], Figures]
    """(model, data, verification net) → figures."""
    bars: tuple[Bar, ...]
    judged: bool = False
    """Whether the verification net is needed."""


@dataclass
class Run:
    """One training's clock, which stands while the figures are measured, and its course.

    Args:
        measure: the figures at this moment.
        bars: the training ends when all hold,
        limit: or after so many seconds; None for no limit.
    """

    measure: Callable[[], Figures]
    bars: tuple[Bar, ...]
    limit: float | None
    seconds: float = 0.0
    reached: bool = False
    course: list[dict[str, float]] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    def over(self) -> bool:
        """Whether the time is up, within an epoch."""
        spent = self.seconds + time.perf_counter() - self.started
        return self.limit is not None and spent >= self.limit

    def ends(self) -> bool:
        """Measure after an epoch; whether the training ends here."""
        self.seconds += time.perf_counter() - self.started
        figures = self.measure()
        self.reached = all(bar.holds(figures) for bar in self.bars)
        self.course.append({"seconds": round(self.seconds, 2), **figures})
        self.started = time.perf_counter()
        return self.reached or self.over()


def load_data(preset: str) -> datasets.ImageData:
    """A preset's data without 5,000 training images, which are for validation.

    They are the last ones of the training set; of the digits, for stacked ones. Of polynomials
    there are so many more.
    """
    options = presets.get(preset)["data"]
    name = options.pop("name")
    if name == "stacked":
        digits = datasets.load("mono", validation_fraction=VALIDATION / 60_000)
        return datasets.load(name, source=digits, **options)
    count = 60_000
    if name == "polynomials":
        count = options["num_images"] = options["num_images"] + VALIDATION
    return datasets.load(name, validation_fraction=VALIDATION / count, **options)


def squared_error(model: Any, data: datasets.ImageData, net: Any) -> Figures:
    """The mean over images and pixels."""
    error = unit_range(data.x_valid) - model.reconstruct(data.x_valid)
    return {"MSE": float(np.square(error).mean())}


def negative_elbo(model: Any, data: datasets.ImageData, net: Any) -> Figures:
    """Nats per image: the grey levels' cross-entropy for one draw of z, and the exact KL."""
    images = unit_range(data.x_valid)
    mean, log_var = model.posterior(data.x_valid)
    noise = np.random.default_rng(0).standard_normal(mean.shape, "float32")
    p = model.decode(mean + np.exp(log_var / 2) * noise)
    p = p.clip(SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
    entropy = -(images * np.log(p) + (1 - images) * np.log1p(-p)).sum(axis=(1, 2, 3))
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    return {"negative ELBO": float((entropy + kl).mean())}


def accuracy(model: Any, data: datasets.ImageData, net: Any) -> Figures:
    """The share of images whose most probable class is theirs."""
    return {"accuracy": float((model.classify(data.x_valid).argmax(axis=1) == data.y_valid).mean())}


def digits(model: Any, data: datasets.ImageData, net: Any) -> Figures:
    """What the verification net sees in samples: 10,000, or 26,000 of stacked digits."""
    probabilities = net.classify(model.sample(data.usual_samples or SAMPLES, seed=0))
    counts = mode_histogram(predicted_classes(probabilities)[0], len(data.class_names))
    return {
        "predictability": predictability(probabilities),
        "classes": modes_covered(counts),
        "KL": kl_to_uniform(counts),
    }


def contours(model: Any, data: datasets.ImageData, net: Any) -> Figures:
    """How polynomial 10,000 samples are, and how well they cover the validation images."""
    samples = model.sample(SAMPLES, seed=0)
    figures = {"outside": float(np.median(outside_span(samples)))}
    if SMOOTH[0].holds(figures):  # Coverage takes seconds.
        figures["coverage"] = polynomial_report(data.x_valid, samples)["coverage"]
    return figures


SMOOTH = Bar("outside", "<=", 0.01), Bar("coverage", ">=", 0.8)
TEN = Bar("predictability", ">=", 0.9), Bar("classes", ">=", 10), Bar("KL", "<=", 0.01)
THOUSAND = Bar("classes", ">=", 1000), Bar("KL", "<=", 0.06)
TASKS = {
    "ae": Task("ae_mnist", "ae", squared_error, (Bar("MSE", "<=", 0.0335),)),
    "vae": Task("vae_mnist", "vae", negative_elbo, (Bar("negative ELBO", "<=", 138),)),
    "conv_ae": Task("conv_ae_mnist", "conv_ae", squared_error, (Bar("MSE", "<=", 0.008),)),
    "classifier": Task("classifier_mnist", None, accuracy, (Bar("accuracy", ">=", 0.994),)),
    "dcgan": Task("dcgan_mnist", "mnist_dcgan", digits, TEN, judged=True),
    "dcgan_polynomials": Task("dcgan_polynomials", "polynomials_dcgan", contours, SMOOTH),
    "wgan_polynomials": Task("wgan_polynomials", "polynomials_wgan", contours, SMOOTH),
    "stacked": Task("dcgan_stacked", "mnist_dcgan", digits, THOUSAND, judged=True),
}
