"""The verification net that judges what a model makes: loaded, or trained once and kept."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from common import plots, presets
from common.datasets import ImageData, PolynomialData
from common.errors import InputError
from common.evaluation.modes import mode_histogram, mode_report, samples_needed
from common.evaluation.predictability import (
    accuracy,
    class_coverage,
    predictability,
    predicted_classes,
)
from common.jobs.pictures import SHOWN
from common.jobs.recipe import Recipe, arguments_of
from common.jobs.results import Results
from common.jobs.training import load_data, train, write_metrics
from common.models import DigitClassifier

# DATA → the preset of its net; stacked digits are judged channel by channel.
NETS = {
    "mono": "classifier_mnist",
    "stacked": "classifier_mnist",
    "fashion": "classifier_fashion",
    "digits": "classifier_digits",
}
SAMPLES = 10_000
# At so many samples the thousand modes of StackedMNIST are counted in the literature.
STACKED_SAMPLES = 26_000
STACKED_MODES = 1000


@dataclass(frozen=True)
class Judge:
    """A verification net, and what it judges by.

    Attributes:
        net: the net.
        tolerance: the belief from which on it is taken at its word.
        class_names: of the data.
        labels: of the training images, int (N,), for the share of each class.
    """

    net: DigitClassifier
    tolerance: float
    class_names: Sequence[str]
    labels: np.ndarray

    @property
    def num_modes(self) -> int:
        """One for each class of the data."""
        return len(self.class_names)

    def of_reconstructions(self, images: np.ndarray, labels: np.ndarray) -> dict:
        """Whether reconstructions (N, H, W, C) still show the originals' classes, int (N,)."""
        beliefs = self.net.classify(images)
        return {
            "predictability": predictability(beliefs, self.tolerance),
            "accuracy": accuracy(beliefs, labels, self.tolerance),
            "tolerance": self.tolerance,
        }

    def of_samples(self, images: np.ndarray, folder: Path | None = None) -> dict:
        """What samples (N, H, W, C) show; the samples per mode are drawn into the folder."""
        beliefs = self.net.classify(images)
        classes, _ = predicted_classes(beliefs)
        shares = mode_histogram(self.labels, self.num_modes)
        if folder is not None:
            counts = mode_histogram(classes, self.num_modes)
            plots.mode_histogram(counts, self.class_names, shares).savefig(folder / "modes.png")
        # The divergence from data that lack a class is infinite where the samples show it.
        reference = self.labels if shares.all() else None
        return {
            "predictability": predictability(beliefs, self.tolerance),
            "class_coverage": class_coverage(beliefs, self.tolerance),
            "tolerance": self.tolerance,
            **mode_report(classes, self.num_modes, reference),
        }


def judge_of(arguments: argparse.Namespace, data: ImageData, recipe: Recipe) -> Judge | None:
    """The judge of a command line's images; None where there is no net for its data.

    Args:
        arguments: of the command line: the tolerance, the number of samples if it is given, the
            file of a net to take in place of the zoo's.
        data: whose images are judged.
        recipe: the model's, for the name and place of the data.

    Raises:
        InputError: a net for images of another size or number of classes, or too few samples to
            draw.
    """
    if arguments.verifier is None and recipe.data not in NETS:
        return None
    if arguments.samples and data.num_classes:
        needed = samples_needed(data.num_classes)
        if arguments.samples < needed:
            raise InputError(
                f"Got --samples {arguments.samples}, too few to count {data.num_classes} modes; "
                f"give at least {needed}."
            )
    if arguments.verifier is not None:
        net = DigitClassifier.load(arguments.verifier)
    else:
        net = _net(NETS[recipe.data], recipe.data_dir)
    if net.image_shape[:2] != data.image_shape[:2]:
        raise InputError(
            f"The verification net judges images of {net.image_shape[:2]}, the data's are "
            f"{data.image_shape[:2]}; give one for this size with --verifier."
        )
    num_modes = net.num_classes ** data.image_shape[2]
    if num_modes != data.num_classes:
        raise InputError(
            f"The verification net knows {net.num_classes} classes, which makes {num_modes} in "
            f"{data.image_shape[2]} channel(s); the data have {data.num_classes}."
        )
    return Judge(net, arguments.tolerance, data.class_names, data.y_train)


def samples_for(arguments: argparse.Namespace, judge: Judge | None, data: ImageData) -> int:
    """How many samples to draw: those asked for, as many as are usual, or what is shown of them."""
    if judge is None and not isinstance(data, PolynomialData):
        usual = SHOWN
    else:
        many = judge is not None and judge.num_modes >= STACKED_MODES
        usual = STACKED_SAMPLES if many else SAMPLES
    return arguments.samples or usual


def _net(preset_name: str, data_dir: str | None) -> DigitClassifier:
    """The zoo's net of this preset; where it has not been trained yet, it is."""
    preset = presets.get(preset_name)
    recipe = Recipe(
        preset=preset_name,
        model=preset["model"],
        data=preset["data"]["name"],
        data_options={},
        data_dir=data_dir,
        arguments=arguments_of(preset),
        compile=preset["compile"],
        epochs=preset["fit"]["epochs"],
        batch_size=preset["fit"]["batch_size"],
        seed=0,
        precision="float32",
    )
    folder = Path("results", preset_name.replace("_", "-"))
    results = Results(folder, asdict(recipe), remedy="give the file of a net with --verifier")
    known = results.trained_model()
    if known is not None:
        return DigitClassifier.load(known)
    print(f"The verification net comes first; it is kept in {results.folder}.")
    results.check_writable()
    data = load_data(recipe)
    net = train(recipe, data, results)
    test = net.evaluate(data.x_test, data.y_test, verbose=0)
    with results.replacing() as staging:
        write_metrics(staging, {**results.metrics(), "test_accuracy": test["accuracy"]})
    return net
