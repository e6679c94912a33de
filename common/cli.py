"""The command line. Nothing here imports Keras, so that `--help` answers at once."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from common import datasets, presets
from common.datasets.decoding import FITS
from common.errors import InputError

MODES = {
    "basic": "reconstruct test images",
    "gen": "generate images",
    "latent": "draw the codes",
    "anom": "find the images of a class left out of training",
}
CODERS = ("basic", "gen", "latent", "anom")
MODELS = {
    "ae": ("AE", "autoencoder", CODERS),
    "vae": ("VAE", "variational autoencoder", CODERS),
    "conv_ae": ("AE", "convolutional autoencoder", CODERS),
    "conv_vae": ("VAE", "convolutional variational autoencoder", CODERS),
    "dcgan": ("DCGAN", "deep convolutional GAN", ("gen",)),
    "lsgan": ("LSGAN", "least-squares GAN", ("gen",)),
    "wgan": ("WGAN", "weight-clipped Wasserstein GAN", ("gen",)),
}
# The higher, the stranger; the last needs a classifier, the two before it a VAE.
SCORES = {
    "squared_error": "of the reconstruction",
    "cross_entropy": "of the reconstruction",
    "prior_sample_nll": "-log p(x) from 10,000 decoded samples",
    "code_density": "-log density of the code under a mixture fitted to the training codes",
    "code_distance": "of the code to its nearest training codes",
    "negative_elbo": "vae",
    "importance_nll": "vae: -log p(x) by importance sampling",
    "class_uncertainty": "with --classifier: 1 - the highest class probability",
}
VAE_SCORES = ("negative_elbo", "importance_nll")
# Options that some modes only have a use for.
MODES_OF_OPTION = {
    "held_out": ("anom",),
    "score": ("anom",),
    "k": ("anom",),
    "samples": ("gen",),
    "tolerance": ("basic", "gen"),
    "verifier": ("basic", "gen"),
}
OF_TRAINING = (
    "epochs",
    "batch_size",
    "code",
    "latent_dim",
    "beta",
    "pack",
    "label_smoothing",
    "classifier",
    "seed",
    "precision",
    "retrain",
)
CODES = ("vector", "map")
BINARIZE = ("threshold", "sampled")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


def parser() -> argparse.ArgumentParser:
    """The arguments of `main.py`."""
    result = argparse.ArgumentParser(
        prog="main.py",
        description=(
            "Train a model, or load it where its recipe has been trained already, and leave "
            "pictures and figures in results/MODEL-DATA/."
        ),
        epilog=(
            "Without a download: python main.py vae gen digits. "
            "KERAS_BACKEND=jax (or torch) changes the backend. "
            f"Presets: {', '.join(presets.names())}."
        ),
    )
    result.add_argument(
        "model",
        metavar="MODEL",
        help=listed((name, about) for name, (_, about, _) in MODELS.items()),
    )
    result.add_argument("mode", metavar="MODE", help=listed(MODES.items()))
    result.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        help=f"{', '.join(datasets.DATASETS)}, or the path of a folder of images; "
        "default: the preset's data, else mono (MNIST)",
    )
    option = result.add_argument
    option("--preset", metavar="NAME", help="recipe; default: the zoo's for MODEL and DATA")
    option("--epochs", type=int, help="passes over the training images")
    option("--batch-size", type=int, help="images per step")
    option("--code", choices=CODES, help="of conv_ae and conv_vae; vector")
    option("--latent-dim", type=int, help="numbers in a code")
    option("--classifier", action="store_true", help="train a classifier on the code (ae, vae)")
    option("--pack", type=int, help="images that the discriminator judges together (GANs)")
    option("--label-smoothing", type=float, help="of the discriminator, 0.1 say (dcgan)")
    option("--beta", type=float, help="weight of the KL divergence (vae)")
    option("--data-fraction", type=float, default=1.0, help="share of the images to use, (0, 1]")
    option("--binarize", choices=BINARIZE, help="black and white, at the middle or by chance")
    option("--drop-class", type=int, metavar="CLASS", help="take a class out of training")
    option("--num-images", type=int, help="images to generate (polynomials, stacked)")
    option(
        "--size", type=int, help="sides of the images (celeba, cars, a folder: 64; polynomials: 40)"
    )
    option("--channels", type=int, choices=(1, 3), help="1 grey, 3 colour (a folder); 3")
    option("--fit", choices=FITS, help="cut the middle out, or add margins (cars, a folder); crop")
    option("--boxes", action="store_true", help="the car alone, where the kit's boxes are (cars)")
    option("--data-dir", type=Path, help="folder or file to read the data from")
    option("--seed", type=int, default=0, help="of weights, noise and order (default 0)")
    option("--precision", choices=PRECISIONS, default="float32")
    option("--tolerance", type=float, default=0.8, help="probability that counts as a class; 0.8")
    option("--samples", type=int, help="to draw; 10,000, of stacked 26,000, where none judges 64")
    option("--verifier", type=Path, metavar="FILE", help="verification net; default: the zoo's own")
    option("--nll-samples", type=int, default=0, help="-log p(x) by so many samples an image (vae)")
    option("--held-out", default="8", metavar="CLASS", help="class left out (anom), or all; 8")
    option("--score", metavar="NAME", help=f"to show (anom): {listed(SCORES.items())}")
    option("--k", type=int, default=16, help="most anomalous images to show (anom); 16")
    option("--output", type=Path, help="folder for the results (default results/MODEL-DATA)")
    option("--retrain", action="store_true", help="train even where a trained model is")
    option("--weights", type=Path, metavar="FILE", help="load this .keras file and do not train")
    return result


def listed(entries) -> str:
    """`name (what it is)` for each entry, in a row."""
    return ", ".join(f"{name} ({about})" for name, about in entries)


def check_names(arguments: argparse.Namespace, given: set[str]) -> None:
    """Refuse unknown names, and modes that a model does not have, before anything is loaded.

    Args:
        arguments: of the command line.
        given: the names of those that are not at their defaults.

    Raises:
        InputError: it says which.
    """
    for kind, name, known in (
        ("MODEL", arguments.model, MODELS),
        ("MODE", arguments.mode, MODES),
        ("DATA", arguments.data, datasets.DATASETS),
    ):
        if name is None or name in known or (kind == "DATA" and datasets.is_folder(name)):
            continue
        more = ", or give the path of a folder of images" if kind == "DATA" else ""
        raise InputError(f"{kind} {name!r} is unknown; choose from {', '.join(known)}{more}.")
    _, about, modes = MODELS[arguments.model]
    encodes = "basic" in modes
    if arguments.mode not in modes:
        instead = "" if arguments.data == "polynomials" else f"`conv_vae {arguments.mode}`, or "
        raise InputError(
            f"A {about} has no encoder, so it cannot {MODES[arguments.mode]}; "
            f"use {instead}`{arguments.model} gen`."
        )
    for name, suited in MODES_OF_OPTION.items():
        if name in given and arguments.mode not in suited:
            raise InputError(
                f"{flag(name)} is for the mode {' or '.join(suited)}, and means nothing in "
                f"{arguments.mode}; leave it."
            )
    variational = MODELS[arguments.model][0] == "VAE"
    if arguments.beta is not None and not variational:
        raise InputError(f"--beta weighs a VAE's KL divergence; {arguments.model} has none.")
    if arguments.nll_samples and not variational:
        raise InputError(f"--nll-samples estimates a VAE's p(x); {arguments.model} has none.")
    if arguments.code and not arguments.model.startswith("conv_"):
        raise InputError(f"--code is for conv_ae and conv_vae; {arguments.model} has no choice.")
    if arguments.code and arguments.preset:
        raise InputError("--preset names the whole recipe, its code too; leave --code.")
    if arguments.label_smoothing is not None and arguments.model != "dcgan":
        raise InputError(f"--label-smoothing is for dcgan alone, not for {arguments.model}.")
    if arguments.pack is not None and encodes:
        raise InputError(f"--pack is for a GAN's discriminator; {arguments.model} has none.")
    if not 0 < arguments.tolerance <= 1:
        raise InputError(
            f"Got --tolerance {arguments.tolerance}; expected above 0 and at most 1, such as 0.8."
        )
    for name in ("epochs", "batch_size", "k", "pack", "samples", "num_images"):
        require_at_least(1, name, getattr(arguments, name))
    for name in ("nll_samples", "seed", "drop_class"):
        require_at_least(0, name, getattr(arguments, name))
    if arguments.seed >= 2**32:
        raise InputError(f"Got --seed {arguments.seed}; expected below 2**32.")
    if arguments.weights is not None:
        for name in OF_TRAINING:
            if name in given:
                raise InputError(
                    f"{flag(name)} is for a training, and --weights takes a trained "
                    "model as it is; leave one of the two."
                )
    check_anomaly_options(arguments)
    if arguments.classifier and not encodes:
        raise InputError(f"--classifier needs an encoder; a {about} has none. Use ae or vae.")


def require_at_least(least: int, name: str, value: int | None) -> None:
    """Refuse a number that is given and smaller."""
    if value is not None and value < least:
        raise InputError(f"Got {flag(name)} {value}; expected at least {least}.")


def flag(name: str) -> str:
    """An option as it is typed."""
    return f"--{name.replace('_', '-')}"


def check_anomaly_options(arguments: argparse.Namespace) -> None:
    """Refuse scores and classes that cannot be; turn the class into a number."""
    if arguments.score is not None and arguments.score not in SCORES:
        raise InputError(f"Score {arguments.score!r} is unknown; choose from {', '.join(SCORES)}.")
    if arguments.score in VAE_SCORES and MODELS[arguments.model][0] != "VAE":
        raise InputError(f"The score {arguments.score} needs a vae; {arguments.model} has no p(x).")
    if arguments.held_out != "all":
        if not arguments.held_out.isdecimal():
            raise InputError(
                f"Got --held-out {arguments.held_out}; expected a class's number from 0 on, or all."
            )
        arguments.held_out = int(arguments.held_out)
    elif arguments.mode == "anom" and arguments.weights is not None:
        raise InputError(
            "--held-out all trains a model for each class; --weights gives one. Name its class."
        )
    if arguments.mode == "anom" and arguments.drop_class is not None:
        raise InputError("anom takes the class of --held-out out of training; leave --drop-class.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for unusable input, 130 for Ctrl-C."""
    words = parser()
    arguments = words.parse_args(argv)
    given = {name for name, value in vars(arguments).items() if value != words.get_default(name)}
    try:
        check_names(arguments, given)
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        from common.jobs import run

        run(arguments)
    except (InputError, FloatingPointError) as error:
        print(f"main.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"main.py: {error}. Results that were there before are as they were.", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("main.py: stopped.", file=sys.stderr)
        return 130
    return 0
