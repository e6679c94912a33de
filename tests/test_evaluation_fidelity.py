import numpy as np
import pytest
from scipy.linalg import sqrtm

from common.errors import InputError
from common.evaluation.fidelity import frechet_distance, kernel_distance, precision_and_recall


@pytest.fixture
def features():
    """Real and generated vectors that differ in mean and spread."""
    rng = np.random.default_rng(0)
    real = rng.normal(size=(300, 8))
    return real, 0.3 + rng.normal(size=(250, 8)) @ np.diag(np.linspace(0.5, 1.5, 8))


def with_moments(mean, covariance, count, rng):
    """Vectors whose mean and covariance are exactly these."""
    x = rng.normal(size=(count, len(mean)))
    x -= x.mean(axis=0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(x, rowvar=False)))).T
    return mean + x @ np.linalg.cholesky(covariance).T


def test_figures_are_those_of_torch_fidelity(features):
    # By torch-fidelity 0.4.0 on these vectors: `fid_statistics_to_metric`, `kernel_mmd`, and
    # `prc_features_to_metric`, which takes generated vectors first.
    real, generated = features
    assert frechet_distance(real, generated) == pytest.approx(1.9609129130144325, rel=1e-9)
    assert kernel_distance(real[:250], generated) == pytest.approx(0.668758864005984, rel=1e-9)
    assert precision_and_recall(real, generated) == pytest.approx((0.796, 194 / 300))


def test_the_frechet_distance_of_gaussians_is_the_closed_form():
    rng = np.random.default_rng(1)
    mean, other = np.array([1.0, -2.0, 0.5]), np.array([0.0, 1.0, 0.5])
    a, b = (part @ part.T + np.eye(3) for part in rng.normal(size=(2, 3, 3)))
    expected = np.square(mean - other).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    found = frechet_distance(with_moments(mean, a, 50, rng), with_moments(other, b, 70, rng))
    assert found == pytest.approx(expected)


def test_in_one_dimension_the_frechet_distance_is_that_of_means_and_deviations():
    rng = np.random.default_rng(2)
    first, second = (
        with_moments(np.array([m]), np.array([[s**2]]), 20, rng)
        for m, s in ((1.0, 2.0), (4.0, 0.5))
    )
    assert frechet_distance(first, second) == pytest.approx(3.0**2 + 1.5**2)


def test_singular_covariances_have_a_distance_too():
    flat = np.zeros((10, 3))
    assert frechet_distance(flat, flat + 2.0) == pytest.approx(12.0)


def test_the_kernel_distance_follows_its_definition(features):
    real, generated = features[0][:7], features[1][:5]

    def mean(x, y, same):
        pairs = [(i, j) for i in range(len(x)) for j in range(len(y)) if not (same and i == j)]
        return np.mean([(x[i] @ y[j] / 8 + 1) ** 3 for i, j in pairs])

    expected = mean(real, real, True) + mean(generated, generated, True)
    expected -= 2 * mean(real, generated, False)
    assert kernel_distance(real, generated) == pytest.approx(expected)


def test_the_kernel_distance_of_equal_distributions_is_zero_on_average():
    rng = np.random.default_rng(3)
    found = [kernel_distance(*rng.normal(size=(2, 50, 4))) for _ in range(300)]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(len(found))


def test_a_missing_mode_costs_recall_and_a_foreign_one_precision():
    rng = np.random.default_rng(4)
    one, two, far = (place + rng.normal(size=(200, 2)) for place in (0.0, 100.0, 500.0))
    precision, recall = precision_and_recall(np.concatenate([one, two]), one + 0.01)
    assert precision == 1 and recall == pytest.approx(0.5, abs=0.05)
    precision, recall = precision_and_recall(one, np.concatenate([one + 0.01, far]))
    assert precision == pytest.approx(0.5, abs=0.05) and recall == 1


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (frechet_distance, "3 vectors of 8 features; a covariance of these takes at least 9"),
        (lambda real, few: kernel_distance(real, few[:1]), "at least 2"),
        (precision_and_recall, "balls to the neighbour k=3 need more"),
    ],
)
def test_too_few_vectors_are_refused(features, judge, words):
    with pytest.raises(InputError, match=words):
        judge(features[0], features[1][:3])


@pytest.mark.parametrize("judge", [frechet_distance, kernel_distance, precision_and_recall])
def test_unusable_vectors_are_refused(features, judge):
    real, generated = features
    with pytest.raises(InputError, match=r"expected \(M, 8\)"):
        judge(real, generated[:, :7])
    with pytest.raises(InputError, match="NaN or infinite"):
        judge(np.where(real > 1, np.nan, real), generated)
