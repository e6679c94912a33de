import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.modes import (
    kl_divergence,
    kl_floor,
    kl_to_uniform,
    mode_histogram,
    mode_report,
    modes_covered,
    samples_needed,
)


def test_histogram_counts_every_mode():
    histogram = mode_histogram(np.array([0, 3, 3, 1]), 5)
    assert histogram.tolist() == [1, 1, 0, 2, 0]
    assert modes_covered(histogram) == 3


def test_kl_of_a_collapse_is_the_log_of_what_is_lost():
    assert kl_to_uniform(np.array([7] * 1000)) == pytest.approx(0)
    assert kl_to_uniform(np.array([50, 50, 0, 0])) == pytest.approx(np.log(2))
    assert kl_to_uniform(np.eye(1000, dtype=int)[3]) == pytest.approx(np.log(1000))


def test_kl_to_the_data_compares_frequencies():
    data = np.array([30, 10, 60])
    assert kl_divergence(2 * data, data) == pytest.approx(0)
    expected = 0.5 * np.log(0.5 / 0.3) + 0.5 * np.log(0.5 / 0.1)
    assert kl_divergence(np.array([4, 4, 0]), data) == pytest.approx(expected)


@pytest.mark.parametrize("reference_samples", [np.inf, 4000])
def test_a_perfect_sampler_shows_the_floor(reference_samples):
    rng, even = np.random.default_rng(0), np.full(20, 1 / 20)
    exact = reference_samples == np.inf
    drawn = [
        kl_divergence(
            rng.multinomial(2000, even), even if exact else rng.multinomial(reference_samples, even)
        )
        for _ in range(2000)
    ]
    assert np.mean(drawn) == pytest.approx(kl_floor(20, 2000, reference_samples), rel=0.05)


@pytest.mark.parametrize(("num_modes", "needed"), [(2, 2), (10, 22), (1000, 6905)])
def test_samples_needed_are_the_fewest_that_miss_less_than_one_mode(num_modes, needed):
    assert samples_needed(num_modes) == needed
    missed = [num_modes * (1 - 1 / num_modes) ** n for n in (needed - 1, needed)]
    assert missed[1] < 1 <= missed[0]


def test_report_of_the_published_sample_count():
    labels = np.arange(26_000) % 1000
    report = mode_report(labels, 1000)
    assert report == {
        "modes": 1000,
        "modes_kl": pytest.approx(0),
        "modes_kl_floor": pytest.approx(0.0192, abs=1e-4),
        "samples": 26_000,
    }


def test_report_beside_the_data():
    labels, data = np.arange(100) % 5, np.arange(200) % 10
    report = mode_report(labels, 10, reference=data)
    assert report["modes"] == 5
    assert report["modes_kl_to_data"] == pytest.approx(np.log(2))
    assert report["modes_kl_to_data_floor"] == pytest.approx(9 / 2 * (1 / 100 + 1 / 200))


def test_too_few_samples_are_refused_with_the_number_needed():
    with pytest.raises(InputError, match="at least 6905"):
        mode_report(np.arange(1000), 1000)


@pytest.mark.parametrize(("labels", "says"), [([0, 10], "from 0 to 10"), ([-1, 3], "from -1 to 3")])
def test_labels_that_are_no_modes_are_refused(labels, says):
    with pytest.raises(InputError, match=says):
        mode_histogram(np.array(labels), 10)


def test_a_mode_that_the_reference_lacks_is_refused():
    with pytest.raises(InputError, match="mode 2"):
        kl_divergence(np.array([5, 5, 1]), np.array([5, 5, 0]))
