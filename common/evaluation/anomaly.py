"""Anomaly scores, the greater the stranger, and how well they tell a held-out class.

Two further scores need a model's encoder: the negative ELBO is `VAE.negative_elbo`, and
-log p(x) by importance sampling `likelihood.importance_weighted_nll`.
"""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from common.errors import InputError
from common.evaluation.checks import require_finite

# Images are scored this many at a time: against 10,000 decoded samples that is 20 MB of float32.
_BLOCK = 512

# A float32 sigmoid saturates at 0 and 1; one wrong pixel then costs 16 nats and not infinity.
_SMALLEST_PROBABILITY = 1e-7


def reconstruction_error(
    images: np.ndarray, reconstructed: np.ndarray, likelihood: str = "bernoulli"
) -> np.ndarray:
    """The error of each reconstruction, summed over its pixels.

    Args:
        images: (N, H, W, C), floats in [0, 1] or uint8.
        reconstructed: the same shape; for "bernoulli" the pixels' probabilities.
        likelihood: "bernoulli" gives -log p(x|z) in nats, the cross-entropy; "gaussian" the squared
            error, which is twice -log p(x|z) at unit variance less a constant.

    Returns:
        float32 (N,).
    """
    _require_shape("reconstructions", reconstructed, images.shape)
    errors = np.empty(len(images), np.float32)
    for start in range(0, len(images), _BLOCK):
        rows = slice(start, start + _BLOCK)
        x, p = _unit_pixels(images[rows]), _unit_pixels(reconstructed[rows])
        if likelihood == "bernoulli":
            log_odds, log_off = _bernoulli_parameters(p)
            errors[rows] = -np.einsum("np,np->n", x, log_odds) - log_off
        elif likelihood == "gaussian":
            errors[rows] = np.square(x - p).sum(axis=1)
        else:
            raise InputError(f"likelihood={likelihood!r} must be 'bernoulli' or 'gaussian'.")
    return errors


def prior_sample_nll(
    images: np.ndarray, decoded: np.ndarray, variance: float | None = None
) -> np.ndarray:
    """-log p(x) in nats, with p(x) the mean of p(x|z) over samples z of the prior.

    This Monte Carlo estimate is unbiased for p(x) but of high variance where no sample comes near
    the image: compare its values with one another, not with those of other methods. As
    log p(x|z) = Σ x log(p / (1 - p)) + Σ log(1 - p), or with Gaussian pixels
    Σ x m / σ² - Σ (x² + m²) / 2σ² - Σ log(2πσ²) / 2, all pairs are one matrix product.

    Args:
        images: (N, H, W, C), floats in [0, 1] or uint8.
        decoded: one decoded image per z (S, H, W, C): Bernoulli probabilities p, or with a variance
            the means m of Gaussian pixels.
        variance: σ² of the pixels about the means; None for Bernoulli pixels.

    Returns:
        float32 (N,).
    """
    _require_shape("decoded samples", decoded[:1], (1, *images.shape[1:]))
    if variance is None:
        weights, offsets = _bernoulli_parameters(_unit_pixels(decoded))
    else:
        weights, offsets = _gaussian_parameters(_unit_pixels(decoded), variance)
    nll = np.empty(len(images), np.float32)
    for start in range(0, len(images), _BLOCK):
        rows = slice(start, start + _BLOCK)
        x = _unit_pixels(images[rows])
        log_p = x @ weights.T
        log_p += offsets
        if variance is not None:
            log_p -= np.square(x).sum(axis=1, keepdims=True) / (2 * variance)
        peak = log_p.max(axis=1)
        log_p -= peak[:, None]
        nll[rows] = -peak - np.log(np.exp(log_p, out=log_p).mean(axis=1))
    return nll


def held_out_mask(labels: np.ndarray, held_out: int) -> np.ndarray:
    """Which images show the class `held_out`: bool (N,).

    Args:
        labels: int (N,), or (N, C) with a class for each channel, of which one is enough.
        held_out: the class; some image must show it and some not.
    """
    shown = np.asarray(labels) == held_out
    mask = shown.any(axis=1) if shown.ndim == 2 else shown
    if not 0 < mask.sum() < len(mask):
        raise InputError(
            f"Class {held_out} is shown by {mask.sum()} of {len(mask)} images; expected some with "
            f"and some without: the classes here go from {np.min(labels)} to {np.max(labels)}."
        )
    return mask


def anomaly_report(scores: np.ndarray, is_anomaly: np.ndarray) -> dict[str, float]:
    """`auroc` and `average_precision` of scores (N,), higher for the anomalies, bool (N,)."""
    _require_scores(scores, is_anomaly)
    return {
        "auroc": float(roc_auc_score(is_anomaly, scores)),
        "average_precision": float(average_precision_score(is_anomaly, scores)),
    }


def roc_points(scores: np.ndarray, is_anomaly: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates, float64 (T,) each, of scores (N,) and anomalies, bool (N,)."""
    _require_scores(scores, is_anomaly)
    false_positive_rate, true_positive_rate, _ = roc_curve(is_anomaly, scores)
    return false_positive_rate, true_positive_rate


def most_anomalous(scores: np.ndarray, k: int) -> np.ndarray:
    """The indices, int64 (k,), of the k highest scores, the highest first."""
    if not 1 <= k <= len(scores):
        raise InputError(f"k={k} of {len(scores)} images: give a k from 1 to {len(scores)}.")
    require_finite("The scores", scores)
    return np.argsort(-scores, kind="stable")[:k]


def _unit_pixels(images: np.ndarray) -> np.ndarray:
    """Images (N, ...) as float32 (N, P) in [0, 1]."""
    pixels = np.asarray(images).reshape(len(images), -1)
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / 255
    # Written so that NaN, for which every comparison is false, is refused too.
    if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise InputError(
            f"Pixels go from {pixels.min()} to {pixels.max()}; expected floats in [0, 1] or uint8: "
            "scale the images, and give probabilities rather than logits."
        )
    return pixels.astype(np.float32, copy=False)


def _bernoulli_parameters(p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log(p / (1 - p)), (N, P), and Σ log(1 - p), (N,), of probabilities (N, P)."""
    p = p.clip(_SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
    log_off = np.log1p(-p)
    return np.log(p) - log_off, log_off.sum(axis=1)


def _gaussian_parameters(means: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray]:
    """m / σ², (N, P), and -Σ m² / 2σ² - Σ log(2πσ²) / 2, (N,), of means (N, P)."""
    constant = means.shape[1] * np.log(2 * np.pi * variance) / 2
    return means / variance, -np.square(means).sum(axis=1) / (2 * variance) - constant


def _require_shape(what: str, given: np.ndarray, shape: tuple[int, ...]) -> None:
    if given.shape != shape:
        raise InputError(f"The {what} are {given.shape}, the images {shape}; expected the same.")


def _require_scores(scores: np.ndarray, is_anomaly: np.ndarray) -> None:
    require_finite("The scores", scores)
    if scores.shape != is_anomaly.shape or not 0 < np.count_nonzero(is_anomaly) < scores.size:
        raise InputError(
            f"{scores.shape} scores for {is_anomaly.shape} images, {np.count_nonzero(is_anomaly)} "
            "of them anomalies; expected one score for each, some anomalies and some normal images."
        )
