"""The command line. Nothing here imports Keras, so that `--help` answers at once."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from common import datasets, presets
from common.errors import InputError

MODES = {
    "basic": "reconstruct test images",
    "gen": "generate images",
}
MODELS = {
    "ae": ("AE", "autoencoder", ("basic", "gen")),
    "vae": ("VAE", "variational autoencoder", ("basic", "gen")),
    "dcgan": ("DCGAN", "deep convolutional GAN", ("gen",)),
    "lsgan": ("LSGAN", "least-squares GAN", ("gen",)),
    "wgan": ("WGAN", "weight-clipped Wasserstein GAN", ("gen",)),
}
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
        help=f"{', '.join(datasets.DATASETS)}; default: the preset's data, else mono (MNIST)",
    )
    option = result.add_argument
    option("--preset", metavar="NAME", help="recipe; default: the zoo's for MODEL and DATA")
    option("--epochs", type=int, help="passes over the training images")
    option("--batch-size", type=int, help="images per step")
    option("--latent-dim", type=int, help="numbers in a code")
    option("--classifier", action="store_true", help="train a classifier on the code (ae, vae)")
    option("--beta", type=float, help="weight of the KL divergence (vae)")
    option("--data-fraction", type=float, default=1.0, help="share of the images to use, (0, 1]")
    option("--data-dir", type=Path, help="folder or file to read the data from")
    option("--seed", type=int, default=0, help="of weights, noise and order (default 0)")
    option("--precision", choices=PRECISIONS, default="float32")
    option("--output", type=Path, help="folder for the results (default results/MODEL-DATA)")
    option("--retrain", action="store_true", help="train even where a trained model is")
    option("--weights", type=Path, metavar="FILE", help="load this .keras file and do not train")
    return result


def listed(entries) -> str:
    """`name (what it is)` for each entry, in a row."""
    return ", ".join(f"{name} ({about})" for name, about in entries)


def check_names(arguments: argparse.Namespace) -> None:
    """Refuse unknown names, and modes that a model does not have, before anything is loaded."""
    for kind, given, known in (
        ("MODEL", arguments.model, MODELS),
        ("MODE", arguments.mode, MODES),
        ("DATA", arguments.data, datasets.DATASETS),
    ):
        if given is not None and given not in known:
            raise InputError(f"{kind} {given!r} is unknown; choose from {', '.join(known)}.")
    _, about, modes = MODELS[arguments.model]
    if arguments.mode not in modes:
        raise InputError(
            f"A {about} has no encoder, so it cannot {MODES[arguments.mode]}; "
            f"use `vae {arguments.mode}`, or `{arguments.model} gen`."
        )
    if arguments.beta is not None and arguments.model != "vae":
        raise InputError(f"--beta weighs a VAE's KL divergence; {arguments.model} has none.")
    for name in ("epochs", "batch_size"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise InputError(f"Got --{name.replace('_', '-')} {value}; expected at least 1.")
    if arguments.classifier and "basic" not in modes:
        raise InputError(f"--classifier needs an encoder; a {about} has none. Use ae or vae.")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 2 for unusable input, 130 for Ctrl-C."""
    arguments = parser().parse_args(argv)
    try:
        check_names(arguments)
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
