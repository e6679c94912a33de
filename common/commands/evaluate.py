"""`evaluate WHAT [DATA]`: one judge for the zoo's models, files, and anybody's samples."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from common import datasets, presets, zoo
from common.commands.figures import figure_table
from common.commands.generate import draw
from common.commands.measure import squared_errors
from common.commands.sample import trained_model
from common.datasets.files import read_samples
from common.errors import InputError
from common.evaluation.evaluate import digest_of, evaluate, evaluate_images
from common.evaluation.likelihood import importance_weighted_nll
from common.evaluation.polynomials import shape_coordinates
from common.evaluation.protocol import Figure, Protocol
from common.files import replacing
from common.images import UnitRange
from common.models import AE, VAE, ImageClassifier

SAMPLES = 10_000


def run(
    what: str,
    data: str | None,
    samples: int | None,
    nll_samples: int,
    seed: int,
    data_dir: Path | None,
    output: Path | None,
) -> None:
    """Measure, print a table, and write it as JSON if `output` names a file.

    Args:
        what: a preset that has weights, a `.keras` file, a folder of images, or an `.npz`.
        data: the dataset to compare with; by default the preset's.
        samples: to draw from a model.
        nll_samples: importance samples per image for -log p(x); 0 leaves it out.
        seed: of the samples' noise.
        data_dir: where the data are.
        output: the JSON file.

    Raises:
        InputError: something given cannot be read or compared.
    """
    name, options = dataset_of(what, data)
    reference = datasets.load(name, **options, **({"data_dir": data_dir} if data_dir else {}))
    model = images = None
    preprocessing = "none"
    if what not in presets.PRESETS and Path(what).is_dir():
        images = folder_images(Path(what), reference.image_shape)
        preprocessing = f"cropped and scaled to {reference.image_shape[:2]}"
    elif Path(what).suffix == ".npz":
        images = read_samples(Path(what))
    else:
        model = trained_model(what)
        model.check_data(reference.image_shape)
    figures: dict[str, Figure] = {}
    if isinstance(model, ImageClassifier):
        right = model.classify(reference.x_test).argmax(axis=1) == reference.y_test
        figures = evaluate_images({"accuracy": right}, of_test_images(reference, seed))
    elif model is not None:
        count = samples or reference.usual_samples or SAMPLES
        images = draw(model, reference, count, seed)[0]
        if isinstance(model, AE):
            values = errors(model, reference, nll_samples)
            figures = evaluate_images(values, of_test_images(reference, seed))
    if images is not None:
        figures |= judged(images[:samples], reference, name, preprocessing, seed)
    title = f"{what} on {reference.name}"
    print(figure_table(title, figures))
    if output is not None:
        with replacing(output) as partial:
            known = {name: figure.as_dict() for name, figure in figures.items()}
            partial.write_text(json.dumps(known, indent=1) + "\n")
        print(f"The figures, with their protocols, are in {output}.")


def dataset_of(what: str, data: str | None) -> tuple[str, dict[str, Any]]:
    """The name and options of the dataset to compare with."""
    if data is not None:
        row = zoo.dataset(data)
        return (row.name if row else data), {}
    if what not in presets.PRESETS:
        raise InputError(
            f"{what} does not say what its images are to be compared with; name a dataset too, "
            f"such as main.py evaluate {what} mnist."
        )
    options = presets.get(what)["data"]
    return options.pop("name"), options


def folder_images(folder: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """All images of a folder, at the size of the data."""
    found = datasets.ImageFolderData(folder=folder, size=shape[0], channels=shape[2])
    return np.concatenate([np.asarray(found.x_train), np.asarray(found.x_test)])


def judged(
    images: np.ndarray, reference: datasets.ImageData, name: str, preprocessing: str, seed: int
) -> dict[str, Figure]:
    """What can be said of samples beside these data."""
    row, how = zoo.dataset(name), {}
    features, seen_through = flat_pixels, "pixels"
    if row and row.verifier:
        net = trained_model(row.verifier)
        how["classify"], features = net.classify, net.features
        how["num_modes"] = reference.num_classes
        seen_through = f"{row.verifier} {digest_of(net.get_weights())}"
    if name == "polynomials":
        features, seen_through = shape_coordinates, "polynomial shape coordinates"
        how["polynomial"] = True
    protocol = Protocol(len(images), test_images(reference), seen_through, preprocessing, seed)
    return evaluate(
        images, reference.x_test, protocol, features=features, training=reference.x_train, **how
    )


def flat_pixels(images: np.ndarray) -> np.ndarray:
    """Images as vectors."""
    return images.reshape(len(images), -1)


def errors(model: AE, data: datasets.ImageData, nll_samples: int) -> dict[str, np.ndarray]:
    """Of each test image: the squared error, and a VAE's negative ELBO and -log p(x), in nats."""
    found = {"test_mse": squared_errors(model, data)}
    if isinstance(model, VAE) and model.pixels.in_nats:
        images = UnitRange(data.x_test)
        # One importance sample estimates the negative ELBO.
        for name, count in (("test_negative_elbo", 1), ("nll", nll_samples)):
            if count:
                found[name] = importance_weighted_nll(
                    images, model.posterior, model.log_likelihood, count
                )
    return found


def of_test_images(data: datasets.ImageData, seed: int) -> Protocol:
    """The protocol of means over the test images."""
    return Protocol(len(data.x_test), test_images(data), seed=seed)


def test_images(data: datasets.ImageData) -> str:
    """What figures are compared with, in words."""
    return f"{len(data.x_test):,} test images of {data.name}"
