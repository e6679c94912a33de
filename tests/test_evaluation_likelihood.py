import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.likelihood import importance_weighted_nll

PIXELS, LATENTS, NOISE = 6, 2, 0.5


class LinearGaussian:
    """x = W z + b + noise with orthogonal columns in W, so that p(z|x) has no covariances."""

    def __init__(self, shift=0.0, widen=0.0):
        rng = np.random.default_rng(0)
        self.weights = np.linalg.qr(rng.normal(size=(PIXELS, LATENTS)))[0] * [1.5, 0.7]
        self.bias = rng.normal(size=PIXELS)
        self.shift, self.widen = shift, widen

    def sample(self, count):
        rng = np.random.default_rng(1)
        z = rng.normal(size=(count, LATENTS))
        return z @ self.weights.T + self.bias + NOISE * rng.normal(size=(count, PIXELS))

    def nll(self, x):
        covariance = self.weights @ self.weights.T + NOISE**2 * np.eye(PIXELS)
        x = x - self.bias
        squares = np.einsum("np,pq,nq->n", x, np.linalg.inv(covariance), x)
        return (squares + np.linalg.slogdet(2 * np.pi * covariance)[1]) / 2

    def encode(self, x):
        """The exact posterior, less wrong the smaller `shift` and `widen` are."""
        variance = 1 / (1 + np.square(self.weights).sum(axis=0) / NOISE**2)
        mean = (x - self.bias) @ self.weights / NOISE**2 * variance
        return mean + self.shift, np.broadcast_to(np.log(variance) + self.widen, mean.shape)

    def log_likelihood(self, x, z):
        squares = np.square(x - self.bias - z @ self.weights.T).sum(axis=-1)
        return -squares / NOISE**2 / 2 - PIXELS * np.log(2 * np.pi * NOISE**2) / 2

    def estimate(self, x, **options):
        return importance_weighted_nll(x, self.encode, self.log_likelihood, **options)


def test_one_sample_of_the_exact_posterior_gives_the_exact_likelihood():
    model = LinearGaussian()
    x = model.sample(7)
    np.testing.assert_allclose(model.estimate(x, samples=1, batch_size=3), model.nll(x), atol=1e-6)


def test_many_samples_of_a_wrong_posterior_converge():
    model = LinearGaussian(shift=0.2, widen=0.5)
    x = model.sample(50)
    np.testing.assert_allclose(model.estimate(x, samples=20_000), model.nll(x), atol=0.05)


def test_the_bound_tightens_from_the_elbo_to_the_likelihood():
    model = LinearGaussian(shift=0.3, widen=0.7)
    x = model.sample(2000)
    bounds = [model.estimate(x, samples=k, batch_size=500).mean() for k in (1, 10, 200)]
    assert bounds[0] > bounds[1] + 0.1 > bounds[2] + 0.1
    assert bounds[2] == pytest.approx(model.nll(x).mean(), abs=0.02)
    # KL(q‖p) of Gaussians is what the ELBO misses.
    variance = np.exp(LinearGaussian().encode(x)[1][0])
    gap = (np.exp(0.7) - 1 - 0.7 + 0.3**2 / variance).sum() / 2
    assert bounds[0] - model.nll(x).mean() == pytest.approx(gap, abs=0.1)


def test_streaming_changes_nothing_and_the_seed_does():
    model = LinearGaussian(shift=0.3)
    x = model.sample(5)
    whole = model.estimate(x, samples=30, batch_size=2, chunk=30)
    np.testing.assert_allclose(model.estimate(x, samples=30, batch_size=2, chunk=7), whole)
    assert (model.estimate(x, samples=30, batch_size=2, seed=1) != whole).all()


def test_tiny_likelihoods_do_not_underflow():
    nll = importance_weighted_nll(
        np.zeros((2, 1)),
        lambda x: (np.zeros((2, 3)), np.zeros((2, 3))),
        lambda x, z: np.full(z.shape[:2], -5000.0),
        samples=10,
    )
    np.testing.assert_allclose(nll, 5000)


@pytest.mark.parametrize("option", ["samples", "batch_size", "chunk"])
def test_sizes_below_one_are_refused(option):
    with pytest.raises(InputError, match=f"{option}=0"):
        LinearGaussian().estimate(np.zeros((2, PIXELS)), **{option: 0})


def test_a_decoder_that_gives_nan_is_refused():
    model = LinearGaussian()
    x = np.zeros((3, PIXELS))
    with pytest.raises(InputError, match="NaN"):
        importance_weighted_nll(x, model.encode, lambda x, z: np.full(z.shape[:2], np.nan))
