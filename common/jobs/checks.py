"""What can be refused before a model is trained for minutes."""

import argparse

from common.cli import MODELS
from common.datasets import ImageData, PolynomialData
from common.errors import InputError
from common.evaluation.anomaly import held_out_mask
from common.jobs.anomalies import shown_classes
from common.plots.latent import FEWEST_CODES


def check_figures(arguments: argparse.Namespace, options: dict, data: ImageData) -> None:
    """Refuse a command line that asks for figures which the model or the data cannot give.

    Args:
        arguments: of the command line.
        options: of the model's constructor, those that are given.
        data: whose test images are measured.

    Raises:
        InputError: it says which.
    """
    if arguments.nll_samples and options.get("likelihood") == "squared_error":
        raise InputError(
            "--nll-samples estimates p(x) in nats, and this model's squared error is not in nats; "
            "take a preset whose likelihood is bernoulli or gaussian."
        )
    if arguments.mode == "latent" and len(data.x_test) < FEWEST_CODES:
        raise InputError(
            f"The codes of {len(data.x_test)} test images are too few to draw; latent needs "
            f"{FEWEST_CODES}: raise --data-fraction, or give more images."
        )
    if arguments.mode == "gen" and MODELS[arguments.model][0] == "AE" and len(data.x_train) < 2:
        raise InputError(
            "Got one training image; gen fits a distribution to an autoencoder's codes, which "
            "takes two: raise --data-fraction, or give more images."
        )
    if isinstance(data, PolynomialData) and arguments.samples:
        needed = -(-len(data.x_train) // 100)
        if arguments.samples < needed:
            raise InputError(
                f"Got --samples {arguments.samples}, which say nothing of how they cover "
                f"{len(data.x_train):,} polynomials; give at least {needed}."
            )
    if arguments.mode != "anom":
        return
    held_out_mask(shown_classes(data), arguments.held_out)
    if arguments.k > len(data.x_test):
        raise InputError(f"Got --k {arguments.k}; there are {len(data.x_test)} test images.")
    if arguments.score == "class_uncertainty" and not options.get("num_classes"):
        remedy = "train one with --classifier" if arguments.weights else "give --classifier"
        raise InputError(
            f"The score class_uncertainty needs a model with a classifier; {remedy}, or take "
            "another score."
        )
