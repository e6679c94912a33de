import numpy as np
import pytest

from common.errors import InputError
from common.evaluation import intervals
from common.evaluation.fidelity import frechet_distance, kernel_distance
from common.evaluation.protocol import Figure, Protocol, difference

SETS = {
    "frechet": (frechet_distance, intervals.of_frechet_distance),
    "kernel": (kernel_distance, intervals.of_kernel_distance),
}


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution():
    values = np.random.default_rng(0).normal(3.0, 2.0, size=4000)
    low, high = intervals.of_statistic(values, np.mean)
    half = 1.96 * values.std() / np.sqrt(len(values))
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.02)


@pytest.mark.parametrize("name", SETS)
def test_the_interval_is_as_wide_as_the_figure_varies(name):
    figure, interval = SETS[name]
    rng = np.random.default_rng(1)

    def pair():
        return rng.normal(size=(300, 3)), 0.4 + rng.normal(size=(400, 3))

    found = [figure(*pair()) for _ in range(300)]
    real, generated = pair()
    value = figure(real, generated)
    low, high = interval(value, real, generated)
    assert low < value < high
    assert high - low == pytest.approx(np.diff(np.quantile(found, (0.025, 0.975)))[0], rel=0.35)


@pytest.mark.parametrize("name", SETS)
def test_a_resample_is_measured_as_the_figure_is(name, monkeypatch):
    """With every row once, each replicate is the figure itself."""
    figure, interval = SETS[name]
    monkeypatch.setattr(intervals, "weights", lambda count, rng: np.ones(count))
    kept = []
    monkeypatch.setattr(intervals, "about", lambda value, replicates: kept.extend(replicates))
    rng = np.random.default_rng(2)
    real, generated = rng.normal(size=(1300, 3)), 0.4 + rng.normal(size=(90, 3))
    interval(0.0, real, generated)
    assert kept == pytest.approx([figure(real, generated)] * intervals.RESAMPLES)


def test_figures_of_different_protocols_do_not_compare():
    protocol = Protocol(10_000, "10,000 test images of mono", "classifier_mnist 1a2b", "none", 0)
    first = Figure(2.0, 1.9, 2.1, protocol)
    assert difference(first, Figure(1.5, 1.4, 1.6, protocol)) == 0.5
    other = Protocol(5_000, "10,000 test images of mono", "classifier_mnist 1a2b", "none", 1)
    with pytest.raises(InputError, match=r"samples \(10000 and 5000\), seed \(0 and 1\)"):
        difference(first, Figure(1.5, 1.4, 1.6, other))
    assert Figure.from_dict(first.as_dict()) == first
