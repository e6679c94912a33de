"""The verification net, which judges what a model makes; the zoo's own are trained on first use."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from common import plots
from common.callbacks import ModeWatcher
from common.commands.config import RunConfig
from common.commands.recipe import Recipe
from common.commands.run_folder import RunFolder, check_writable, write_figures
from common.commands.train import build, load_data, origin_of, train
from common.datasets import ImageData
from common.errors import InputError
from common.evaluation.modes import mode_histogram, mode_report, samples_needed
from common.evaluation.predictability import (
    accuracy,
    class_coverage,
    predictability,
    predicted_classes,
)
from common.models import ImageClassifier

LOOKS = 10
WATCHED_SAMPLES = 1000


@dataclass(frozen=True)
class Verifier:
    """A verification net and how it judges.

    Attributes:
        net: classifies images, channel by channel.
        tolerance: minimum probability for a prediction to count.
        class_names: of the data, one for each mode.
        labels: of the training images, int (N,), for the share of each class.
    """

    net: ImageClassifier
    tolerance: float
    class_names: Sequence[str]
    labels: np.ndarray

    def reconstruction_figures(self, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
        """Whether reconstructions (N, H, W, C) still show the originals' classes, int (N,)."""
        probabilities = self.net.classify(images)
        return {
            "predictability": predictability(probabilities, self.tolerance),
            "accuracy": accuracy(probabilities, labels, self.tolerance),
            "tolerance": self.tolerance,
        }

    def sample_figures(self, images: np.ndarray, folder: Path | None = None) -> dict[str, Any]:
        """What samples (N, H, W, C) show; the samples per mode are drawn into the folder."""
        probabilities = self.net.classify(images)
        classes, _ = predicted_classes(probabilities)
        num_modes = len(self.class_names)
        shares = mode_histogram(self.labels, num_modes)
        if folder is not None:
            counts = mode_histogram(classes, num_modes)
            plots.mode_histogram(counts, self.class_names, shares).savefig(folder / "modes.png")
        # The divergence from data that lack a class is infinite where the samples show it.
        reference = self.labels if shares.all() else None
        return {
            "predictability": predictability(probabilities, self.tolerance),
            "class_coverage": class_coverage(probabilities, self.tolerance),
            "tolerance": self.tolerance,
            **mode_report(classes, num_modes, reference),
        }


def find_verifier(config: RunConfig, data: ImageData) -> Verifier | None:
    """The verifier of a run's images; None where the mode needs none or the data have none.

    Raises:
        InputError: a net for images of another size or number of classes.
    """
    preset = config.recipe.dataset.verifier
    if config.mode not in ("basic", "gen"):
        return None
    if config.verifier:
        net = ImageClassifier.load(config.verifier)
    elif preset:
        net = _own_net(preset, config.recipe.data_dir)
    else:
        if data.num_classes and not data.usual_samples:
            print(f"{data.name} has no verification net, so what images show is not judged.")
        return None
    if net.image_shape[:2] != data.image_shape[:2]:
        raise InputError(
            f"The verification net takes images of {net.image_shape[:2]}, and the data's are "
            f"{data.image_shape[:2]}; give one for this size with --verifier."
        )
    num_modes = (net.num_classes or 0) ** data.image_shape[2]
    if num_modes != data.num_classes or data.y_train is None:
        raise InputError(
            f"The verification net knows {net.num_classes} classes, which makes {num_modes} in "
            f"{data.image_shape[2]} channel(s); the data have {data.num_classes}."
        )
    return Verifier(net, config.tolerance, data.class_names, data.y_train)


def mode_watchers(verifier: Verifier | None, epochs: int) -> list[ModeWatcher]:
    """One watcher that looks about ten times during a GAN's training, if there is a verifier."""
    if verifier is None:
        return []
    return [
        ModeWatcher(
            lambda images: predicted_classes(verifier.net.classify(images))[0],
            verifier.class_names,
            max(WATCHED_SAMPLES, samples_needed(len(verifier.class_names))),
            every=max(1, epochs // LOOKS),
        )
    ]


def _own_net(preset: str, data_dir: str | None) -> ImageClassifier:
    """The zoo's net of this preset, trained on first use."""
    recipe = Recipe.of_preset(preset, data_dir=data_dir and Path(data_dir))
    check_writable(Path("results"))
    folder = RunFolder(
        Path("results", preset.replace("_", "-")),
        origin_of(recipe, content=None),
        remedy="remove it to train the zoo's net, or give the file of a net with --verifier",
    )
    with folder.in_use():
        if (known := folder.trained_model()) is not None:
            return ImageClassifier.load(known)
        print(f"The verification net is trained first; it is kept in {folder.path}.")
        folder.check_backup(resume=True)
        data = load_data(recipe)
        net = build(recipe, data, ImageClassifier)
        train(recipe, net, data, folder)
        test = net.evaluate(data.x_test, data.y_test, verbose=0)
        with folder.replacing() as staging:
            figures = {**folder.figures(), "test_accuracy": test["accuracy"]}
            write_figures(staging / "metrics.json", figures)
    return net
