"""The verification net that judges what a model makes: loaded, or trained once and kept."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from common import plots, presets
from common.datasets import ImageData
from common.errors import InputError
from common.evaluation.modes import mode_histogram, mode_report
from common.evaluation.predictability import (
    accuracy,
    class_coverage,
    predictability,
    predicted_classes,
)
from common.jobs.recipe import Recipe
from common.jobs.results import Results
from common.jobs.training import load_data, train
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
    """A verification net, and the belief from which on it is taken at its word."""

    net: DigitClassifier
    tolerance: float
    class_names: Sequence[str]

    @property
    def num_modes(self) -> int:
        """One for each class of the data."""
        return len(self.class_names)

    @property
    def samples(self) -> int:
        """How many samples to judge a model by."""
        return SAMPLES if self.num_modes < STACKED_MODES else STACKED_SAMPLES

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
        if folder is not None:
            counts = mode_histogram(classes, self.num_modes)
            plots.mode_histogram(counts, self.class_names).savefig(folder / "modes.png")
        return {
            "predictability": predictability(beliefs, self.tolerance),
            "class_coverage": class_coverage(beliefs, self.tolerance),
            "tolerance": self.tolerance,
            **mode_report(classes, self.num_modes),
        }


def judge_of(arguments: argparse.Namespace, data: ImageData, name: str) -> Judge | None:
    """The judge of a command line's images; None where there is no net for its data.

    Args:
        arguments: of the command line: the tolerance, the file of a net to take in place of the
            zoo's, the place of the data.
        data: whose images are judged.
        name: of the data on the command line.

    Raises:
        InputError: a net for images of another size or number of classes.
    """
    if arguments.verifier is not None:
        net = DigitClassifier.load(arguments.verifier)
    elif name in NETS:
        net = _net(NETS[name], arguments.data_dir)
    else:
        return None
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
    return Judge(net, arguments.tolerance, data.class_names)


def _net(preset_name: str, data_dir: Path | None) -> DigitClassifier:
    """The zoo's net of this preset; where it has not been trained yet, it is."""
    preset = presets.get(preset_name)
    recipe = Recipe(
        preset=preset_name,
        model=preset["model"],
        data=preset["data"]["name"],
        data_options={},
        arguments=preset["arguments"],
        compile=preset["compile"],
        epochs=preset["fit"]["epochs"],
        batch_size=preset["fit"]["batch_size"],
        seed=0,
        precision="float32",
    )
    results = Results(Path("results", preset_name.replace("_", "-")), asdict(recipe))
    known = results.trained_model()
    if known is not None:
        return DigitClassifier.load(known)
    print(f"The verification net comes first; it is kept in {results.folder}.")
    results.check_writable()
    data = load_data(recipe, data_dir)
    trained = train(recipe, data, results)
    with results.replacing() as staging:
        test = trained.model.evaluate(data.x_test, data.y_test, verbose=0)
        trained.store(staging, {"test_accuracy": test["accuracy"]})
    return trained.model
