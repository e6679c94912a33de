import subprocess
import sys

import numpy as np
import pytest
import scipy.stats

from common.errors import InputError
from common.evaluation.anomaly import (
    anomaly_report,
    held_out_mask,
    most_anomalous,
    prior_sample_nll,
    reconstruction_error,
    roc_points,
)
from common.models.likelihoods import LIKELIHOODS

BERNOULLI = LIKELIHOODS["bernoulli"].natural_parameters


def images_and_probabilities(count=3, samples=5, seed=0):
    rng = np.random.default_rng(seed)
    images = (rng.random((count, 4, 4, 2)) < 0.3).astype("float32")
    return images, rng.random((samples, 4, 4, 2), dtype="float32")


def log_likelihood(x, p):
    return np.sum(x * np.log(p, dtype="float64") + (1 - x) * np.log(1 - p, dtype="float64"))


def test_reconstruction_error_is_the_cross_entropy_or_the_squared_error():
    images, p = images_and_probabilities(samples=3)
    expected = [-log_likelihood(x, q) for x, q in zip(images, p, strict=True)]
    np.testing.assert_allclose(reconstruction_error(images, p, BERNOULLI), expected, rtol=1e-5)
    np.testing.assert_allclose(
        reconstruction_error(images, p),
        ((images - p) ** 2).sum(axis=(1, 2, 3)),
        rtol=1e-5,
    )


def test_prior_sample_nll_is_the_mean_likelihood_over_the_samples():
    # More images than are scored at a time, of which the last is in a block of its own.
    images, p = images_and_probabilities(count=513)
    likelihoods = [[np.exp(log_likelihood(x, q)) for q in p] for x in images]
    expected = -np.log(np.mean(likelihoods, axis=1))
    np.testing.assert_allclose(prior_sample_nll(images, p, BERNOULLI), expected, rtol=1e-5)


def test_prior_sample_nll_of_gaussian_pixels_is_the_mean_density_over_the_samples():
    rng = np.random.default_rng(0)
    images, means = rng.random((5, 2, 3, 1)), rng.random((7, 2, 3, 1))
    pixels = scipy.stats.norm(means[None], 0.1).logpdf(images[:, None]).sum(axis=(2, 3, 4))
    expected = -np.log(np.exp(pixels).mean(axis=1))
    gaussian = LIKELIHOODS["gaussian"].natural_parameters
    np.testing.assert_allclose(prior_sample_nll(images, means, gaussian), expected, rtol=1e-4)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_a_reconstruction_costs_as_much_as_its_only_sample_of_the_prior(name):
    images, p = images_and_probabilities(count=2, samples=2)
    natural = LIKELIHOODS[name].natural_parameters
    alone = [prior_sample_nll(images[[k]], p[[k]], natural)[0] for k in range(2)]
    np.testing.assert_allclose(reconstruction_error(images, p, natural), alone, rtol=1e-5)


def test_prior_sample_nll_holds_where_every_likelihood_underflows():
    images = np.ones((1, 28, 28, 1), "float32")
    decoded = np.full((10, 28, 28, 1), 0.01)
    nll = prior_sample_nll(images, decoded, BERNOULLI)
    np.testing.assert_allclose(nll, -784 * np.log(0.01), rtol=1e-5)


def test_saturated_probabilities_cost_a_finite_amount():
    images = np.ones((1, 2, 2, 1), "float32")
    right = prior_sample_nll(images, np.ones_like(images), BERNOULLI)
    assert right == pytest.approx(0, abs=1e-5)
    wrong = reconstruction_error(images, np.zeros_like(images), BERNOULLI)
    assert wrong == pytest.approx(-4 * np.log(1e-7), rel=1e-4)


def test_bytes_count_as_parts_of_255():
    images, p = images_and_probabilities()
    as_bytes = (images * 255).astype("uint8")
    expected = prior_sample_nll(images, p, BERNOULLI)
    assert prior_sample_nll(as_bytes, p, BERNOULLI).tolist() == expected.tolist()


SCORE_THEM_ALL = """
import time
from pathlib import Path
import numpy as np
from common.evaluation.anomaly import prior_sample_nll

def bernoulli(means):
    # Without Keras, whose import alone takes half of the memory.
    p = means.reshape(len(means), -1).clip(1e-7, 1 - 1e-7)
    log_off = np.log1p(-p)
    return np.log(p) - log_off, log_off.sum(axis=1), 0.0

rng = np.random.default_rng(0)
images = rng.integers(0, 256, (10_000, 28, 28, 1), np.uint8)
decoded = rng.random((10_000, 28, 28, 1), np.float32)
start = time.perf_counter()
assert np.isfinite(prior_sample_nll(images, decoded, bernoulli)).all()
seconds = time.perf_counter() - start
# Not ru_maxrss: Linux counts the memory of the process that started this one in it.
print(seconds, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has /proc")
def test_ten_thousand_images_against_as_many_samples_take_half_a_minute_and_two_gigabytes():
    run = subprocess.run(
        [sys.executable, "-c", SCORE_THEM_ALL], check=True, capture_output=True, text=True
    )
    seconds, kilobytes = map(float, run.stdout.split())
    assert seconds < 30 and kilobytes < 2e6


@pytest.mark.parametrize("score", [reconstruction_error, prior_sample_nll])
def test_images_that_do_not_fit_are_refused(score):
    images, p = images_and_probabilities(samples=3)
    with pytest.raises(InputError, match=r"\(3, 4, 2, 4\)|\(1, 4, 2, 4\)"):
        score(images, p.reshape(3, 4, 2, 4), BERNOULLI)
    with pytest.raises(InputError, match="probabilities rather than logits"):
        score(images, 10 * p, BERNOULLI)
    with pytest.raises(InputError, match="nan"):
        score(images, p * np.nan, BERNOULLI)


def test_report_counts_pairs_in_the_right_order():
    rng = np.random.default_rng(0)
    is_anomaly = rng.random(60) < 0.3
    scores = rng.normal(size=60).round(1) + is_anomaly
    pairs = scores[is_anomaly][:, None] - scores[~is_anomaly]
    report = anomaly_report(scores, is_anomaly)
    assert report["auroc"] == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2)
    fpr, tpr = roc_points(scores, is_anomaly)
    assert np.trapezoid(tpr, fpr) == pytest.approx(report["auroc"])


def test_average_precision_is_the_precision_at_each_anomaly():
    scores, is_anomaly = np.array([4.0, 3.0, 2.0, 1.0]), np.array([True, False, True, False])
    assert anomaly_report(scores, is_anomaly)["average_precision"] == (1 / 1 + 2 / 3) / 2


def test_held_out_class_of_single_and_of_stacked_digits():
    assert held_out_mask(np.array([8, 1, 8]), 8).tolist() == [True, False, True]
    stacked = np.array([[8, 1, 2], [1, 2, 3], [0, 0, 8]])
    assert held_out_mask(stacked, 8).tolist() == [True, False, True]


@pytest.mark.parametrize(("labels", "shown"), [([1, 2, 3], 0), ([8, 8], 2)])
def test_a_held_out_class_that_none_or_all_show_is_refused(labels, shown):
    with pytest.raises(InputError, match=f"Class 8 is shown by {shown} of {len(labels)}"):
        held_out_mask(np.array(labels), 8)


def test_most_anomalous_are_the_highest_first():
    assert most_anomalous(np.array([1.0, 5.0, 3.0, 5.0]), 3).tolist() == [1, 3, 2]


@pytest.mark.parametrize("measure", [anomaly_report, roc_points])
def test_scores_that_are_not_finite_are_refused(measure):
    with pytest.raises(InputError, match="1 of 3 values are NaN or infinite"):
        measure(np.array([1.0, np.inf, 0.0]), np.array([True, False, False]))
