"""What the zoo has: models, datasets, modes, anomaly scores, options and verbs, a row each.

Pure data, from which the command line, its checks and `--help` come.
"""

from pathlib import Path
from typing import Any

from common.errors import InputError
from common.rows import Dataset, Mode, Model, Option, Row, Score, Verb


def _table(*rows: Row | Option | Score) -> dict[str, Any]:
    return {row.name: row for row in rows}


_ALL = ("basic", "gen", "latent", "anom")
_VAE = ("classifier", "beta", "nll_samples")
MODELS: dict[str, Model] = _table(
    Model("ae", "common.models:AE", "autoencoder", ("classifier",), _ALL),
    Model("vae", "common.models:VAE", "variational autoencoder", _VAE, _ALL),
    Model("conv_ae", "common.models:AE", "convolutional autoencoder", ("classifier", "code"), _ALL),
    Model("conv_vae", "common.models:VAE", "convolutional VAE", (*_VAE, "code"), _ALL),
    Model("dcgan", "common.models:DCGAN", "deep convolutional GAN", ("pack", "label_smoothing")),
    Model("lsgan", "common.models:LSGAN", "least-squares GAN", ("pack",)),
    Model("wgan", "common.models:WGAN", "Wasserstein GAN with weight clipping", ("pack",)),
)

_JUDGED = ("tolerance", "verifier")
_ANOMALY = ("held_out", "score", "k")
MODES: dict[str, Mode] = _table(
    Mode("basic", "common.commands.reconstruct", "reconstruct test images", _JUDGED),
    Mode("gen", "common.commands.generate", "generate images", ("samples", *_JUDGED)),
    Mode("latent", "common.commands.latent", "draw the latent space"),
    Mode("anom", "common.commands.anomaly", "find a class left out of training", _ANOMALY),
)

FOLDER = "folder"  # its data are named by a path
_PLACE = ("data_dir",)
_CARS = ("size", "fit", "boxes", "data_dir")
DATASETS: dict[str, Dataset] = _table(
    Dataset("mono", "common.datasets:MNISTData", "MNIST", _PLACE, "mnist", "classifier_mnist"),
    Dataset(
        "digits",
        "common.datasets:DigitsData",
        "scikit-learn's 1,797 digits, 28×28; no download",
        verifier="classifier_digits",
    ),
    Dataset(
        "fashion",
        "common.datasets:FashionMNISTData",
        "Fashion-MNIST",
        _PLACE,
        verifier="classifier_fashion",
    ),
    Dataset(
        "polynomials",
        "common.datasets:PolynomialData",
        "contours of random polynomials of degree 0 to 5, 40×40; no download",
        ("num_images", "size"),
    ),
    Dataset(
        "stacked",
        "common.datasets:StackedMNISTData",
        "StackedMNIST: three digits as channels, 1,000 classes, 128,000 random triples",
        ("num_images", *_PLACE),
        verifier="classifier_mnist",
    ),
    Dataset("cifar10", "common.datasets:CIFAR10Data", "CIFAR-10", _PLACE),
    Dataset("celeba", "common.datasets:CelebAData", "CelebA, 64×64", ("size", *_PLACE)),
    Dataset("cars", "common.datasets:CarsData", "Stanford Cars, 64×64", _CARS),
    Dataset(
        FOLDER,
        "common.datasets:ImageFolderData",
        "the path of a folder of your own images, 64×64",
        ("size", "channels", "fit"),
    ),
)

SCORES: dict[str, Score] = _table(
    Score("squared_error", "squared error of the reconstruction"),
    Score("cross_entropy", "cross-entropy of the reconstruction"),
    Score("prior_sample_nll", "-log p(x) from 10,000 decoded samples"),
    Score("code_density", "-log density of the code under a mixture of the training codes"),
    Score("code_distance", "distance of the code to the nearest training codes"),
    Score("negative_elbo", "negative ELBO", needs="vae"),
    Score("importance_nll", "-log p(x) by importance sampling", needs="vae"),
    Score("class_uncertainty", "1 - the highest class probability", needs="classifier"),
)

_PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16", "auto")
OPTIONS: dict[str, Option] = _table(
    Option("preset", "recipe; default: the zoo's for MODEL and DATA", "training", str),
    Option("epochs", "passes over the training images", "training", least=1, most=10**6),
    Option("batch_size", "images per step", "training", least=1, most=10**6),
    Option("lr", "learning rate; of a GAN the generator's", "training", float, above=0, most=10),
    Option("seed", "of weights, noise and order", "training", int, 0, 0, 2**32 - 1),
    Option("precision", "dtype policy, or auto", "training", str, "float32", choices=_PRECISIONS),
    Option("code", "shape of the code", "training", str, "vector", choices=("vector", "map")),
    Option("latent_dim", "dimensions of the code, or of a GAN's z", "model", least=1, most=2**16),
    Option("classifier", "train a classifier on the code", "model", bool),
    Option("beta", "weight of the KL divergence", "model", float, least=0),
    Option("pack", "images the discriminator judges together (PacGAN)", "model", least=1, most=64),
    Option("label_smoothing", "one-sided, such as 0.1", "model", float, least=0),
    Option("data_dir", "folder or file to read the data from", "data", Path),
    Option("data_fraction", "share of the images to use", "data", float, 1.0, most=1, above=0),
    Option("validation_fraction", "share of training images to validate on", "data", float),
    Option("binarize", "black and white pixels", "data", str, choices=("threshold", "sampled")),
    Option("drop_class", "class to leave out of training", "data", least=0),
    Option("num_images", "training images to make", "data", least=1, most=10**8),
    Option("size", "height and width of the images", "data", least=2, most=4096),
    Option("channels", "1 for grey, 3 for colour", "data", choices=(1, 3)),
    Option("fit", "cut out the middle, or add margins", "data", str, choices=("crop", "pad")),
    Option("boxes", "show the car alone, by the development kit's boxes", "data", bool),
    Option("samples", "to draw (10,000; stacked 26,000; unjudged 64)", "run", least=1, most=10**7),
    Option("tolerance", "least probability to count a class", "run", float, 0.8, None, 1, 0),
    Option("verifier", "verification net; default: trained on first use", "run", Path),
    Option("nll_samples", "samples per image to estimate -log p(x)", "run", int, 0, 0, 10**6),
    Option("held_out", "number of the class left out, or all", "run", str, "8"),
    Option("score", "anomaly score to show", "run", str, "code_distance", choices=(*SCORES,)),
    Option("k", "most anomalous images to show", "run", int, 16, 1, 10**4),
    Option("deterministic", "the same bits on a GPU too, more slowly", "run", bool, False),
    Option("profile", "folder for a trace of some steps of the training", "run", Path),
    Option("output", "folder for the results; default: results/MODEL-DATA", "run", Path),
    Option("resume", "go on with a training that was stopped here", "run", bool, False),
    Option("retrain", "train again, and replace what is there", "run", bool, False),
    Option("weights", "load this .keras file and do not train", "run", Path),
)

_PRESET = ("preset", "name of a preset; `list` names all")
_TRAINED = ("preset", "name of a preset that has weights, or a .keras file")
_SEED = Option("seed", "of the noise", "run", int, 0, 0, 2**32 - 1)
VERBS: dict[str, Verb] = _table(
    Verb(
        "list",
        "common.commands.catalogue",
        "what the zoo has",
        takes=(("[what]", "models, datasets or presets; default: all"),),
    ),
    Verb(
        "train",
        "common.commands.reproduce",
        "train a preset, and compare its figures with the zoo's",
        takes=(_PRESET,),
        own=(OPTIONS["output"], OPTIONS["data_dir"], OPTIONS["resume"]),
    ),
    Verb(
        "sample",
        "common.commands.sample",
        "draw samples; it needs no data",
        takes=(_TRAINED,),
        own=(
            Option("n", "samples to draw", "run", int, 64, 1, 10**6),
            _SEED,
            Option("output", "the picture, or an .npz", "run", Path, Path("samples.png")),
        ),
    ),
    Verb(
        "evaluate",
        "common.commands.evaluate",
        "measure a model, or anybody's samples",
        takes=(
            ("what", "preset that has weights, .keras file, folder of images, or .npz of samples"),
            ("[data]", "dataset to compare with; default: the preset's"),
        ),
        own=(
            Option("samples", "to draw from a model (10,000; stacked 26,000)", "run", least=1),
            OPTIONS["nll_samples"],
            _SEED,
            OPTIONS["data_dir"],
            Option("output", "JSON file for the figures and their protocols", "run", Path),
        ),
    ),
    Verb(
        "export",
        "common.commands.export",
        "write a model's networks for programs without Keras",
        takes=(_TRAINED,),
        own=(
            Option("format", "of the files", "run", str, "onnx", choices=("onnx", "savedmodel")),
            Option("output", "folder for them; default: exported/PRESET", "run", Path),
        ),
    ),
)

_TABLES = {Model: MODELS, Dataset: DATASETS, Mode: MODES, Option: OPTIONS}


def register(row: Model | Dataset | Mode | Option) -> None:
    """Add a row of your own, or replace one of that name; its options must be registered."""
    if unknown := set(getattr(row, "options", ())) - set(OPTIONS):
        raise InputError(f"Option {min(unknown)!r} is unknown; register a zoo.Option first.")
    _TABLES[type(row)][row.name] = row


def dataset(name: str) -> Dataset | None:
    """The dataset of this name or alias, or None."""
    return next((row for row in DATASETS.values() if name in (row.name, row.suffix)), None)


def model_of(preset: str) -> str | None:
    """The name of the model that a preset's name begins with, or None."""
    return next((name for name in MODELS if preset.startswith(f"{name}_")), None)


def owners(option: str) -> list[str]:
    """The models, modes or datasets that alone take this option; none where all do."""
    for table in (MODELS, MODES, DATASETS):
        if names := [row.name for row in table.values() if option in row.options]:
            return names
    return []
