"""How strange a code is: densities against SciPy's closed form, distances against all pairs."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from common.errors import InputError
from common.evaluation import codes
from common.evaluation.codes import CodeMixture, code_distance, encode_in_batches, traversal_codes

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[2.0, 0.6, 0.0], [0.6, 0.5, 0.1], [0.0, 0.1, 0.3]])


def drawn(count, seed=0):
    rng = np.random.default_rng(seed)
    return rng.multivariate_normal(MEAN, COVARIANCE, count).astype("float32")


def test_few_codes_are_one_gaussian_of_their_mean_and_covariance():
    known, codes = drawn(19), drawn(7, seed=1)
    covariance = np.cov(known, rowvar=False, bias=True) + 1e-4 * np.eye(3)
    expected = -multivariate_normal(known.mean(axis=0), covariance).logpdf(codes)
    np.testing.assert_allclose(CodeMixture(known).nll(codes), expected, 1e-4)


def test_codes_of_many_dimensions_have_no_covariances(monkeypatch):
    monkeypatch.setattr(codes, "FULL_DIMENSIONS", 2)
    known, scored = drawn(19), drawn(7, seed=1)
    variances = known.var(axis=0, dtype="float64") + 1e-4
    expected = -multivariate_normal(known.mean(axis=0), np.diag(variances)).logpdf(scored)
    np.testing.assert_allclose(CodeMixture(known).nll(scored), expected, 1e-4)


def test_two_clusters_are_a_mixture_of_two_gaussians():
    clusters = [drawn(13), drawn(13, seed=1) + 40]
    codes = drawn(6, seed=2) + np.array([[0], [40]] * 3)
    densities = [
        multivariate_normal(
            cluster.mean(axis=0), np.cov(cluster, rowvar=False, bias=True) + 1e-4 * np.eye(3)
        ).pdf(codes)
        for cluster in clusters
    ]
    expected = -np.log(np.mean(densities, axis=0))
    nll = CodeMixture(np.concatenate(clusters)).nll(codes)
    np.testing.assert_allclose(nll, expected, 1e-3)


def test_a_mixture_has_a_component_for_ten_codes_up_to_a_limit(monkeypatch):
    assert codes.MIXTURE_COMPONENTS == 50
    monkeypatch.setattr(codes, "MIXTURE_COMPONENTS", 4)
    components = [CodeMixture(drawn(count)).mixture.n_components for count in (3, 35, 90)]
    assert components == [1, 3, 4]


def test_the_mixture_is_fitted_in_double_precision_to_the_first_codes(monkeypatch):
    monkeypatch.setattr(codes, "FITTED_CODES", 40)
    known = drawn(60)
    means = [CodeMixture(part).mixture.means_ for part in (known, known[:40], known[20:])]
    assert means[0].dtype == np.float64
    np.testing.assert_array_equal(means[0], means[1])
    assert not np.array_equal(means[0], means[2])


def test_samples_of_the_mixture_are_spread_like_the_codes_and_in_no_order():
    known = np.concatenate([drawn(200), drawn(100, seed=1) + 40])
    mixture = CodeMixture(known)
    samples = mixture.sample(3000)
    assert samples.shape == (3000, 3)
    np.testing.assert_allclose(samples.mean(axis=0), known.mean(axis=0), atol=1.5)
    np.testing.assert_allclose(np.cov(samples.T), np.cov(known.T), rtol=0.1)
    far = samples[:, 0] > 20
    assert 0.2 < far[:1000].mean() < 0.5 and 0.2 < far[2000:].mean() < 0.5
    np.testing.assert_array_equal(mixture.sample(3000), samples)
    assert not np.array_equal(mixture.sample(3000, seed=1), samples)


def test_the_first_images_are_encoded_block_by_block(monkeypatch):
    monkeypatch.setattr("common.images.NUMBERS_AT_ONCE", 3 * 4)
    images = np.arange(8 * 4, dtype=np.uint8).reshape(8, 2, 2, 1)
    blocks = []

    def encode(block):
        blocks.append(len(block))
        return block * 255

    encoded = encode_in_batches(encode, images, most=7)
    assert blocks == [3, 3, 1]
    np.testing.assert_allclose(encoded, images[:7].reshape(7, 4))
    assert encode_in_batches(encode, images, most=None).shape == (8, 4)


def test_the_distance_is_the_mean_of_the_nearest():
    known, codes = drawn(50), drawn(8, seed=1)
    pairs = np.linalg.norm(codes[:, None] - known, axis=-1)
    nearest = np.sort(pairs, axis=1)
    np.testing.assert_allclose(code_distance(known, codes), nearest[:, :5].mean(axis=1), 1e-5)
    np.testing.assert_allclose(code_distance(known, codes, 2), nearest[:, :2].mean(axis=1), 1e-5)


def test_fewer_known_codes_than_neighbours():
    known, codes = drawn(3), drawn(4, seed=1)
    expected = np.linalg.norm(codes[:, None] - known, axis=-1).mean(axis=1)
    np.testing.assert_allclose(code_distance(known, codes), expected, 1e-5)


def mixture_nll(known, scored):
    return CodeMixture(known).nll(scored)


@pytest.mark.parametrize("score", [mixture_nll, code_distance])
@pytest.mark.parametrize("where", ["known", "scored"])
def test_codes_of_a_diverged_model_are_refused(score, where):
    given = {"known": drawn(30), "scored": drawn(5)}
    given[where][2, 1] = np.nan
    with pytest.raises(InputError, match=r"1 of \d+ values are NaN or infinite"):
        score(*given.values())


def test_traversals_take_one_dimension_through_its_own_quantiles():
    codes = drawn(101)
    shares = [0.0, 0.25, 1.0]
    moved, dimensions = traversal_codes(codes, shares)
    assert dimensions.tolist() == [0, 1, 2] and moved.shape == (3, 3, 3)
    for row, dimension in zip(moved, dimensions, strict=True):
        expected = np.quantile(codes[:, dimension], shares)
        np.testing.assert_allclose(row[:, dimension], expected, rtol=1e-5)
        others = np.delete(row, dimension, axis=1)
        np.testing.assert_array_equal(others, np.tile(np.delete(codes[0], dimension), (3, 1)))
    _, chosen = traversal_codes(codes[:, ::-1], shares, [2])
    assert chosen.tolist() == [2]


def test_traversals_of_maps_move_a_channel_as_a_whole():
    codes = drawn(30).reshape(10, 3, 1, 3)
    moved, dimensions = traversal_codes(codes, [0.0, 1.0])
    assert moved.shape == (3, 2, 3, 1, 3)
    for row, channel in zip(moved, dimensions, strict=True):
        means = codes[..., channel].mean(axis=(1, 2))
        change = row[..., channel] - codes[0, ..., channel]
        expected = np.array([means.min(), means.max()]) - means[0]
        np.testing.assert_allclose(change.reshape(2, 3).T, np.tile(expected, (3, 1)), atol=1e-6)
        others = np.delete(row - codes[0], channel, axis=-1)
        assert not others.any()
