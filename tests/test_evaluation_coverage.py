import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.coverage import (
    coverage_ceiling,
    density_and_coverage,
    nearest_images,
    smallest_neighbour,
)


def by_definition(real, generated, k):
    """Equations 4 and 5 of the paper, one pair of vectors at a time."""
    radii = [sorted(np.linalg.norm(real - x, axis=1))[k] for x in real]
    inside = [
        [np.linalg.norm(y - x) < radius for x, radius in zip(real, radii, strict=True)]
        for y in generated
    ]
    return np.sum(inside) / (k * len(generated)), np.any(inside, axis=0).mean()


@pytest.mark.parametrize("k", [1, 3])
def test_density_and_coverage_follow_their_definition(k):
    rng = np.random.default_rng(0)
    real, generated = rng.normal(size=(40, 3)), 0.3 + rng.normal(size=(30, 3))
    assert density_and_coverage(real, generated, k) == pytest.approx(
        by_definition(real, generated, k)
    )


def test_the_rim_of_a_ball_is_not_within_it():
    """As in the paper's code; twins have balls without an inside."""
    twins = np.zeros((4, 2))
    assert density_and_coverage(twins, twins, k=1) == (0.0, 0.0)


def test_a_mode_that_is_missing_costs_coverage_and_not_density():
    rng = np.random.default_rng(1)
    modes = np.array([[0.0, 0.0], [100.0, 0.0]])
    real = np.concatenate([mode + rng.normal(size=(500, 2)) for mode in modes])
    density, coverage = density_and_coverage(real, rng.normal(size=(1000, 2)))
    assert coverage < 0.5 < 0.9 < density


def test_a_perfect_sampler_reaches_the_ceiling_and_density_one():
    rng = np.random.default_rng(2)
    density, coverage = density_and_coverage(rng.normal(size=(3000, 4)), rng.normal(size=(1500, 4)))
    assert coverage == pytest.approx(coverage_ceiling(3000, 1500), abs=0.02)
    assert density == pytest.approx(1, abs=0.05)


def test_ceiling_of_equal_sets_is_the_papers():
    # Lemma 2's limit for N = M is 1 − 1 / 2^k.
    assert coverage_ceiling(10**6, 10**6, k=5) == pytest.approx(1 - 2**-5, abs=1e-4)


@pytest.mark.parametrize(("num_real", "num_generated", "k"), [(10**4, 10**4, 5), (16667, 8333, 8)])
def test_the_smallest_neighbour_is_the_papers(num_real, num_generated, k):
    assert smallest_neighbour(num_real, num_generated) == k
    assert coverage_ceiling(num_real, num_generated, k) > 0.95
    assert coverage_ceiling(num_real, num_generated, k - 1) <= 0.95


def test_too_few_generated_vectors_for_any_neighbour_are_refused():
    with pytest.raises(InputError, match="generate more"):
        smallest_neighbour(10, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_nearest_image_is_that_of_the_smallest_distance(dtype, monkeypatch):
    # Blocks of three images, the last of two.
    monkeypatch.setattr("common.images.NUMBERS_AT_ONCE", 3 * 4 * 5 * 3)
    rng = np.random.default_rng(4)
    images = rng.integers(0, 256, (11, 4, 5, 3)).astype(np.uint8)
    samples = rng.random((6, 4, 5, 3), dtype=np.float32)
    samples[:2] = images[[10, 3]] / 255
    scaled = images / 255
    distances = [[np.linalg.norm(sample - image) for image in scaled] for sample in samples]
    given = images if dtype is np.uint8 else scaled.astype(dtype)
    nearest = nearest_images(samples, given)
    assert nearest.tolist() == np.argmin(distances, axis=1).tolist()
    assert nearest[:2].tolist() == [10, 3]
