"""The log-likelihood of images under a model with Gaussian latent variables."""

from collections.abc import Callable
from typing import Any

import numpy as np

from common.errors import InputError, numbers, rows_of, whole_number


def importance_weighted_nll(
    images: Any,
    encode: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    log_likelihood: Callable[[np.ndarray, np.ndarray], np.ndarray],
    samples: int = 5000,
    batch_size: int = 100,
    chunk: int = 50,
    seed: int = 0,
) -> np.ndarray:
    """Upper bound on -log p(x) in nats that tightens with `samples` (Burda et al. 2016, eq. 8).

    It is -log 1/k Σ p(x|z_i) p(z_i) / q(z_i|x), where the z_i are k samples of q, the encoder's
    diagonal Gaussian, and p(z) is the standard Gaussian. One sample estimates the negative ELBO.
    `log_likelihood` takes nearly all time and memory. Choose sizes that divide evenly: then all
    calls have the same shapes and compile once.

    Args:
        images: (N, ...), passed to the two functions batch by batch.
        encode: images (n, ...) to z_mean and z_log_var, (n, D) each, or (n, h, w, D) for maps.
        log_likelihood: images (n, ...) and z (c, n, D), or maps, to log p(x|z), (c, n), in nats.
        samples: k, for each image.
        batch_size: images at a time.
        chunk: samples of each image at a time; the decoder sees batch_size · chunk codes at once.
        seed: for the noise, which depends on `batch_size` but not on `chunk`.

    Returns:
        float64 (N,).
    """
    for name, value in {"samples": samples, "batch_size": batch_size, "chunk": chunk}.items():
        whole_number(name, value)
    images = rows_of("The images", images)
    rng = np.random.default_rng(seed)
    nll = np.empty(len(images))
    for start in range(0, len(images), batch_size):
        batch = images[start : start + batch_size]
        encoded = encode(batch)
        if not hasattr(encoded, "__len__") or len(encoded) != 2:
            raise InputError(
                f"encode gave a {type(encoded).__name__}; expected a pair, z_mean and z_log_var."
            )
        z_mean, z_log_var = (numbers("The encoder's answer", part) for part in encoded)
        if z_mean.shape != z_log_var.shape or z_mean.shape[:1] != (len(batch),):
            raise InputError(
                f"encode gave z_mean {z_mean.shape} and z_log_var {z_log_var.shape} for "
                f"{len(batch)} images; expected (n, D) or (n, h, w, D) of each."
            )
        z_std = np.exp(z_log_var / 2)
        log_sum = np.full(len(batch), -np.inf)
        for done in range(0, samples, chunk):
            count = min(chunk, samples - done)
            noise = rng.standard_normal((count, *z_mean.shape), np.float32)
            z = z_mean + z_std * noise
            # log p(z) - log q(z|x); the factors of 2π cancel.
            log_ratio = (np.square(noise) - np.square(z) + z_log_var) / 2
            log_ratio = log_ratio.sum(axis=tuple(range(2, z.ndim)))
            expected = (count, len(batch))
            log_weights = numbers("The log-likelihoods", log_likelihood(batch, z), expected)
            log_weights = np.float64(log_weights) + log_ratio
            log_sum = np.logaddexp(log_sum, np.logaddexp.reduce(log_weights, axis=0))
        nll[start : start + batch_size] = np.log(samples) - log_sum
    return nll
