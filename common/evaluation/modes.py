"""How many of the data's modes (classes) the samples of a generator show, and how evenly."""

import math

import numpy as np

from common.errors import InputError


def mode_histogram(labels: np.ndarray, num_modes: int) -> np.ndarray:
    """How many samples show each mode: int64 (num_modes,), from labels, int (N,)."""
    labels = np.asarray(labels)
    if num_modes < 2:
        raise InputError(f"num_modes={num_modes} must be at least 2 for modes to be counted.")
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not len(labels):
        raise InputError(
            f"Labels are {labels.dtype} {labels.shape}; expected integers (N,), one per sample."
        )
    if labels.min() < 0 or labels.max() >= num_modes:
        raise InputError(
            f"Labels go from {labels.min()} to {labels.max()}; with {num_modes} modes expected "
            f"0 to {num_modes - 1}: does the classifier know other classes than the data have?"
        )
    return np.bincount(labels, minlength=num_modes)


def modes_covered(histogram: np.ndarray) -> int:
    """The number of modes with at least one sample (Metz et al. 2017, Unrolled GANs)."""
    return int(np.count_nonzero(histogram))


def kl_divergence(histogram: np.ndarray, reference: np.ndarray) -> float:
    """KL(p‖q) in nats, of the samples' frequencies p from those of the reference, q.

    The direction is the published one (Metz et al. 2017; PacGAN, Lin et al. 2018): a mode that
    the samples miss adds nothing itself, the others' surplus does.

    Args:
        histogram: counts of the samples (K,).
        reference: counts, or any positive weights, (K,); np.ones(K) is the uniform distribution.
    """
    shown = np.flatnonzero(histogram)
    absent = shown[reference[shown] == 0]
    if len(absent):
        raise InputError(
            f"The samples show {len(absent)} modes that the reference lacks, mode {absent[0]} "
            "first, so their divergence is infinite: give a larger reference, with every class."
        )
    p = histogram[shown] / histogram.sum()
    q = reference[shown] / reference.sum()
    return float(np.sum(p * np.log(p / q)))


def kl_to_uniform(histogram: np.ndarray) -> float:
    """KL in nats of the samples' frequencies, counts (K,), to the uniform distribution."""
    return kl_divergence(histogram, np.ones(len(histogram)))


def kl_floor(num_modes: int, samples: int, reference_samples: float = math.inf) -> float:
    """The KL that a perfect sampler shows, from chance alone, in nats.

    (K - 1) / 2 · (1/n + 1/m), for n samples and a reference of m (none if it is exact). To second
    order the KL is Σ (p - q)² / 2q, half a chi-square with K - 1 degrees of freedom over n
    (Miller 1955). It holds for n well above K; at n = 7 K it is 3 % too low.
    """
    return (num_modes - 1) / 2 * (1 / samples + 1 / reference_samples)


def samples_needed(num_modes: int) -> int:
    """How many samples it takes for the number of modes to say something about the generator.

    A perfect uniform sampler misses K (1 - 1/K)^n modes on average; from this n on it is less than
    one, so that missing modes are the generator's and not chance's. 22 for 10 modes, 6,905 for
    1,000, where the published count is 26,000.
    """
    return 1 + math.floor(math.log(num_modes) / -math.log1p(-1 / num_modes))


def mode_report(
    labels: np.ndarray, num_modes: int, reference: np.ndarray | None = None
) -> dict[str, float | int]:
    """The modes that samples show and how far their frequencies are from even.

    Args:
        labels: the classifier's, of the samples, int (N,), N at least `samples_needed`.
        num_modes: K.
        reference: the data's labels, int (M,).

    Returns:
        `modes`, `modes_kl` (to uniform), `modes_kl_floor` (a perfect sampler's), `samples` (N);
        with a reference also `modes_kl_to_data` and `modes_kl_to_data_floor`.
    """
    histogram = mode_histogram(labels, num_modes)
    samples = len(labels)
    if samples < samples_needed(num_modes):
        raise InputError(
            f"{samples} samples are too few to count {num_modes} modes, of which even a perfect "
            f"generator would miss some: give at least {samples_needed(num_modes)}."
        )
    report = {
        "modes": modes_covered(histogram),
        "modes_kl": kl_to_uniform(histogram),
        "modes_kl_floor": kl_floor(num_modes, samples),
        "samples": samples,
    }
    if reference is not None:
        data = mode_histogram(reference, num_modes)
        report["modes_kl_to_data"] = kl_divergence(histogram, data)
        report["modes_kl_to_data_floor"] = kl_floor(num_modes, samples, len(reference))
    return report
