"""Anomaly scores (higher is stranger) and how well they separate a class held out of training.

`VAE.negative_elbo` and `likelihood.importance_weighted_nll` are scores too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from common.errors import InputError, numbers, real_array, rows_of, whole_number
from common.images import unit_range

# Images scored at a time: against 10,000 decoded samples this takes 20 MB of float32.
_BLOCK = 512

# Means (N, P) of p(x|z) to weights w (N, P), offsets b (N,) and a number s, such that
# log p(x|z) = x · w + b − s Σ x². `common.models.likelihoods` has one for each likelihood.
NaturalParameters = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, float]]


def reconstruction_error(
    images: np.ndarray,
    reconstructed: np.ndarray,
    natural_parameters: NaturalParameters | None = None,
) -> np.ndarray:
    """The error of each reconstruction, summed over its pixels.

    Args:
        images: (N, H, W, C), floats in [0, 1] or uint8.
        reconstructed: the same shape; the means of p(x|z).
        natural_parameters: of the likelihood whose −log p(x|z) in nats is the error, such as the
            Bernoulli one's cross-entropy; None for the squared error.

    Returns:
        float32 (N,).
    """
    images = rows_of("The images", images)
    reconstructed = rows_of("The reconstructions", reconstructed)
    _require_shape("reconstructions", reconstructed, images.shape)
    errors = np.empty(len(images), np.float32)
    for start in range(0, len(images), _BLOCK):
        rows = slice(start, start + _BLOCK)
        x, means = _unit_pixels(images[rows]), _unit_pixels(reconstructed[rows])
        if natural_parameters is None:
            errors[rows] = np.square(x - means).sum(axis=1)
        else:
            weights, offsets, square = natural_parameters(means)
            log_p = np.einsum("np,np->n", x, weights) + offsets
            errors[rows] = square * np.square(x).sum(axis=1) - log_p
    return errors


def prior_sample_nll(
    images: np.ndarray, decoded: np.ndarray, natural_parameters: NaturalParameters
) -> np.ndarray:
    """−log p(x) in nats, with p(x) the mean of p(x|z) over samples z of the prior.

    This Monte Carlo estimate of p(x) is unbiased, but varies much if no sample comes near the
    image: compare its values with one another only. All pairs take one matrix product.

    Args:
        images: (N, H, W, C), floats in [0, 1] or uint8.
        decoded: the mean of p(x|z) for each z, (S, H, W, C).
        natural_parameters: of the likelihood p(x|z).

    Returns:
        float32 (N,).
    """
    images = rows_of("The images", images)
    decoded = rows_of("The decoded samples", decoded)
    _require_shape("decoded samples", decoded[:1], (1, *images.shape[1:]))
    weights, offsets, square = natural_parameters(_unit_pixels(decoded))
    nll = np.empty(len(images), np.float32)
    for start in range(0, len(images), _BLOCK):
        rows = slice(start, start + _BLOCK)
        x = _unit_pixels(images[rows])
        log_p = x @ weights.T + offsets - square * np.square(x).sum(axis=1, keepdims=True)
        nll[rows] = np.log(len(decoded)) - logsumexp(log_p, axis=1)
    return nll


def held_out_mask(labels: np.ndarray, held_out: int) -> np.ndarray:
    """Which images show the class `held_out`, bool (N,), in one channel at least.

    Args:
        labels: int (N,), or (N, C) with a class per channel.
        held_out: the class.

    Raises:
        InputError: all or none of the images show it.
    """
    held_out = whole_number("held_out", held_out, least=0)
    labels = numbers("The labels", labels)
    mask = (labels == held_out).reshape(len(labels), -1).any(axis=1)
    if not 0 < mask.sum() < len(mask):
        raise InputError(
            f"Class {held_out} is shown by {mask.sum()} of {len(mask)} images; expected some with "
            f"it and some without. The classes go from {labels.min():g} to {labels.max():g}."
        )
    return mask


def anomaly_report(scores: np.ndarray, is_anomaly: np.ndarray) -> dict[str, float]:
    """`auroc` and `average_precision` of scores (N,) for telling the anomalies, bool (N,)."""
    scores, is_anomaly = _scored(scores, is_anomaly)
    return {
        "auroc": float(roc_auc_score(is_anomaly, scores)),
        "average_precision": float(average_precision_score(is_anomaly, scores)),
    }


def roc_points(scores: np.ndarray, is_anomaly: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, float64 (T,) each, of scores (N,) and anomalies, bool (N,)."""
    scores, is_anomaly = _scored(scores, is_anomaly)
    return roc_curve(is_anomaly, scores)[:2]


def most_anomalous(scores: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k highest scores, int64 (k,), the highest first."""
    scores = numbers("The scores", scores, ("N",))
    return np.argsort(-scores, kind="stable")[: whole_number("k", k)]


def _scored(scores: Any, is_anomaly: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scores, float (N,), and marks, bool (N,), of which some are set and some not."""
    scores = numbers("The scores", scores, ("N",))
    marks = numbers("The marks of the anomalies", is_anomaly, scores.shape, 0, 1) > 0
    if marks.all() or not marks.any():
        raise InputError(
            f"{marks.sum()} of {len(marks)} images are marked as anomalies; expected some that are "
            "and some that are not."
        )
    return scores, marks


def _unit_pixels(images: np.ndarray) -> np.ndarray:
    """Images (N, ...) as float32 (N, P) in [0, 1]."""
    pixels = unit_range(real_array("The images", images).reshape(len(images), -1))
    # NaN fails every comparison, so it is refused too.
    if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise InputError(
            f"Pixels go from {pixels.min()} to {pixels.max()}; expected floats in [0, 1] or uint8: "
            "scale the images, and give probabilities rather than logits."
        )
    return pixels


def _require_shape(what: str, given: np.ndarray, shape: tuple[int, ...]) -> None:
    if given.shape != shape:
        raise InputError(f"The {what} are {given.shape}, the images {shape}; expected the same.")
