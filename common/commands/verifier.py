"""The verification net, which judges what a model makes.

The zoo's own come with it. A recipe of your own is trained on first use, after the model: pictures
do not wait for their judge.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from common import plots, presets
from common.callbacks import ModeWatcher
from common.callbacks.progress import telling
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
from common.presets.shipped import weights_of

LOOKS = 10
WATCHED_SAMPLES = 1000


@dataclass(frozen=True)
class Verifier:
    """A verification net and how it judges.

    Attributes:
        find: gives the net, which classifies images channel by channel; it may train it.
        ready: `find` gives it at once.
        tolerance: minimum probability for a prediction to count.
        class_names: of the data, one for each mode.
        labels: of the training images, int (N,), for the share of each class.
        before: called before each judgement.
    """

    find: Callable[[], ImageClassifier]
    ready: bool
    tolerance: float
    class_names: Sequence[str]
    labels: np.ndarray
    before: Callable[[], object] = lambda: None

    @cached_property
    def net(self) -> ImageClassifier:
        """The net, which is trained now where there is none yet."""
        return self.find()

    def _judged(self, images: np.ndarray) -> np.ndarray:
        self.before()
        net = self.net
        with telling(f"Judging {len(images):,} images with the verification net"):
            return net.classify(images)

    def reconstruction_figures(self, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
        """Whether reconstructions (N, H, W, C) still show the originals' classes, int (N,)."""
        probabilities = self._judged(images)
        return {
            "predictability": predictability(probabilities, self.tolerance),
            "accuracy": accuracy(probabilities, labels, self.tolerance),
            "tolerance": self.tolerance,
        }

    def sample_figures(
        self, images: np.ndarray, folder: Path | None = None, title: str | None = None
    ) -> dict[str, Any]:
        """What samples (N, H, W, C) show; the samples per mode are drawn into the folder."""
        probabilities = self._judged(images)
        classes, _ = predicted_classes(probabilities)
        num_modes = len(self.class_names)
        shares = mode_histogram(self.labels, num_modes)
        if folder is not None:
            counts = mode_histogram(classes, num_modes)
            drawn = plots.mode_histogram(counts, self.class_names, shares, title)
            drawn.savefig(folder / "modes.png")
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
    if config.verifier is not None:
        net = ImageClassifier.load(config.verifier)
    elif preset is not None and weights_of(preset):
        net = ImageClassifier.from_preset(preset)
    elif preset is not None:
        data_dir = config.recipe.data_dir
        own = OwnNet(preset, Path(data_dir) if data_dir else None)
        if (file := own.known()) is None:
            known = presets.get(preset)["arguments"]
            shape = known.get("image_shape", data.image_shape)
            labels = _labels_for(shape, known.get("num_classes", 10), data)
            return Verifier(own.trained, False, config.tolerance, data.class_names, labels)
        net = ImageClassifier.load(file)
    else:
        if data.num_classes and not data.usual_samples:
            print(f"{data.name} has no verification net, so what images show is not judged.")
        return None
    labels = _labels_for(net.image_shape, net.num_classes, data)
    return Verifier(lambda: net, True, config.tolerance, data.class_names, labels)


def _labels_for(image_shape: Sequence[int], num_classes: int | None, data: ImageData) -> np.ndarray:
    """The labels of the training images, if a net of this shape and number of classes fits them."""
    if tuple(image_shape[:2]) != data.image_shape[:2]:
        raise InputError(
            f"The verification net takes images of {tuple(image_shape[:2])}, and the data's are "
            f"{data.image_shape[:2]}; give one for this size with --verifier."
        )
    num_modes = (num_classes or 0) ** data.image_shape[2]
    if num_modes != data.num_classes or data.y_train is None:
        raise InputError(
            f"The verification net knows {num_classes} classes, which makes {num_modes} in "
            f"{data.image_shape[2]} channel(s); the data have {data.num_classes}."
        )
    return data.y_train


def mode_watchers(verifier: Verifier | None, epochs: int) -> list[ModeWatcher]:
    """One watcher that looks about ten times during a GAN's training, if a net is ready."""
    if verifier is None:
        return []
    if not verifier.ready:
        print(
            "The classes of the samples are not watched meanwhile: the net that recognises them is "
            "trained after the model. So modes_over_training.png is left out."
        )
        return []
    return [
        ModeWatcher(
            lambda images: predicted_classes(verifier.net.classify(images))[0],
            verifier.class_names,
            max(WATCHED_SAMPLES, samples_needed(len(verifier.class_names))),
            every=max(1, epochs // LOOKS),
        )
    ]


class OwnNet:
    """A net of a preset that is trained here, in a folder of its own.

    Args:
        preset: its name.
        data_dir: where its data are, or None for their usual place.
        folder: results/PRESET by default.

    Raises:
        InputError: nothing can be written there.
    """

    def __init__(self, preset: str, data_dir: Path | None, folder: Path | None = None):
        self.recipe = Recipe.of_preset(preset, data_dir=data_dir)
        path = folder or Path("results", preset.replace("_", "-"))
        check_writable(path)
        self.folder = RunFolder(
            path,
            origin_of(self.recipe, content=None),
            remedy="remove it to train the zoo's net, or give the file of a net with --verifier",
        )

    def known(self) -> Path | None:
        """The file of the net if it is trained.

        Raises:
            InputError: another net is there, or another run trains it.
        """
        with self.folder.in_use():
            known = self.folder.trained_model()
            if known is None:
                self.folder.check_backup(resume=True)
            return known

    def trained(self) -> ImageClassifier:
        """The net, trained now unless another run has done so meanwhile."""
        with self.folder.in_use():
            if (known := self.folder.trained_model()) is not None:
                return ImageClassifier.load(known)
            print(
                "The verification net, which judges the images, is trained once and kept in "
                f"{self.folder.path}."
            )
            return self._train()

    def train(self, retrain: bool) -> None:
        """Train the net; with `retrain` from the start, in place of one that is there."""
        with self.folder.in_use():
            if retrain:
                self.folder.drop_backup()
            self.folder.check_backup(resume=True)
            self._train()

    def _train(self) -> ImageClassifier:
        data = load_data(self.recipe)
        net = build(self.recipe, data, ImageClassifier)
        train(self.recipe, net, data, self.folder)
        test = net.evaluate(data.x_test, data.y_test, verbose=0)
        with self.folder.replacing() as staging:
            sections = self.folder.figures()
            sections["model"] |= {"test_accuracy": test["accuracy"]}
            write_figures(staging / "metrics.json", sections)
        return net
