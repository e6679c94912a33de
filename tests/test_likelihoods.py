"""The variance that follows the error, and likelihoods of one's own."""

import keras
import numpy as np
import pytest
from keras import ops

from common import datasets
from common.commands.measure import figures_on_test
from common.errors import InputError
from common.models import AE, VAE
from common.models.likelihoods import Gaussian, OptimalGaussian

SHAPE = (6, 5, 2)
PIXELS = 60


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


@pytest.fixture
def batch():
    """Images in [0, 1] and logits of a decoder that is somewhat off."""
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(40, *SHAPE)).astype("float32")
    return images, rng.normal(0, 1, images.shape).astype("float32")


def mean_square(images, logits):
    return np.square(images - 1 / (1 + np.exp(-logits.astype("float64")))).mean()


def test_training_takes_the_best_variance_of_the_batch(batch):
    """No other variance gives the batch a smaller loss; equation 6 has it in closed form."""
    pixels = OptimalGaussian()
    found = as_numpy(pixels.training_loss(*map(ops.convert_to_tensor, batch)))
    best = mean_square(*batch)
    expected = PIXELS / 2 * (np.log(2 * np.pi * best) + 1)
    assert found.shape == (40,) and found.mean() == pytest.approx(expected, 1e-4)
    for variance in (0.9 * best, 1.1 * best):
        other = as_numpy(Gaussian(variance).loss(*map(ops.convert_to_tensor, batch)))
        assert other.mean() > found.mean()


def test_evaluation_takes_the_moving_mean_of_the_variances(batch):
    pixels = OptimalGaussian()
    expected = 0.1
    for _ in range(3):
        pixels.training_loss(*map(ops.convert_to_tensor, batch))
        expected += 0.02 * (mean_square(*batch) - expected)
    assert float(pixels.variance) == pytest.approx(expected, 1e-4)
    tensors = [*map(ops.convert_to_tensor, batch)]
    gaussian = Gaussian(expected)
    np.testing.assert_allclose(
        as_numpy(pixels.loss(*tensors)), as_numpy(gaussian.loss(*tensors)), 1e-4
    )
    found = pixels.natural_parameters(batch[0])
    for ours, theirs in zip(found, gaussian.natural_parameters(batch[0]), strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-4)


def test_a_perfect_decoder_has_a_finite_loss():
    images = ops.ones((4, *SHAPE))
    assert np.isfinite(as_numpy(OptimalGaussian().training_loss(images, 100 * images))).all()


def test_the_variance_is_learned_and_saved(batch, tmp_path):
    model = VAE(SHAPE, widths=(16,), likelihood="optimal_gaussian", seed=0)
    model.compile()
    history = model.fit(batch[0], epochs=30, batch_size=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] - 1
    assert float(model.pixels.variance) < 0.095
    model.save(tmp_path / "vae.keras")
    same = VAE.load(tmp_path / "vae.keras")
    assert float(same.pixels.variance) == float(model.pixels.variance)
    np.testing.assert_array_equal(model.negative_elbo(batch[0]), same.negative_elbo(batch[0]))


@keras.saving.register_keras_serializable("tests")
def laplace(images, logits):
    """Laplace pixels of scale 1, up to a constant."""
    return ops.sum(ops.abs(images - ops.sigmoid(logits)), axis=(-3, -2, -1))


@pytest.mark.parametrize("kind", [pytest.param(AE, marks=pytest.mark.slow), VAE])
def test_a_likelihood_of_ones_own(kind, tmp_path):
    greys = np.random.default_rng(0).uniform(size=(40, 1, 1, 1))
    images = np.broadcast_to(greys, (40, *SHAPE)).astype("float32")
    model = kind(SHAPE, widths=(16,), likelihood=laplace, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(images, epochs=20, batch_size=8, verbose=0).history
    losses = history["reconstruction_loss"]
    assert losses[-1] < 0.7 * losses[0]
    expected = np.abs(images - model.reconstruct(images)).sum(axis=(1, 2, 3)).mean()
    found = model.evaluate(images, verbose=0)["reconstruction_loss"]
    if kind is AE:
        assert found == pytest.approx(expected, 1e-3)
    model.save(tmp_path / "own.keras")
    same = kind.load(tmp_path / "own.keras")
    assert same.evaluate(images, verbose=0)["reconstruction_loss"] == pytest.approx(found, 1e-6)
    if kind is VAE:
        codes = np.zeros((3, 40, same.latent_dim), "float32")
        assert same.log_likelihood(images, codes).shape == (3, 40)


def test_only_losses_in_nats_make_an_elbo():
    data = datasets.load("digits", data_fraction=0.02)
    for likelihood, named in ((laplace, False), ("optimal_gaussian", True)):
        model = VAE(data.image_shape, widths=(4,), likelihood=likelihood, seed=0)
        model.compile()
        figures = figures_on_test(model, data, nll_samples=0)
        assert ("test_negative_elbo" in figures) is named and figures["test_kl"] >= 0


def test_a_likelihood_that_no_file_can_name():
    with pytest.raises(InputError, match="decorate it with @keras"):
        AE(SHAPE, likelihood=lambda images, logits: ops.sum(images - logits, axis=(1, 2, 3)))


@keras.saving.register_keras_serializable("tests")
def of_every_pixel(images, logits):
    return ops.square(images - ops.sigmoid(logits))


def test_a_likelihood_of_every_pixel_is_refused(batch):
    model = AE(SHAPE, widths=(4,), likelihood=of_every_pixel)
    model.compile()
    with pytest.raises(InputError, match="expected one number for each image"):
        model.fit(batch[0], verbose=0)
