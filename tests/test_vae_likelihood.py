"""What a VAE says of single images: its posterior, log p(x|z), the ELBO and bounds of -log p(x)."""

import keras
import numpy as np
import pytest
from keras import ops
from tiny_models import conv_vae_map, images_of, lesson, vae_classifier

from common.errors import InputError
from common.evaluation.likelihood import importance_weighted_nll
from common.models import VAE
from common.models.likelihoods import LIKELIHOODS


def bernoulli_log_likelihood(images, logits):
    """log p(x|z) in nats of images (n, H, W, C) for logits (n, H, W, C) or (c, n, H, W, C)."""
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return (images * logits - softplus).sum(axis=(-3, -2, -1))


def test_the_likelihood_holds_at_logits_where_probabilities_saturate():
    images, logits = np.array([[1, 0, 1], [-1000, -1000, 1000]], "float32").reshape(2, 3, 1, 1, 1)
    loss = LIKELIHOODS["bernoulli"].loss(*map(ops.convert_to_tensor, (images, logits)))
    assert as_numpy(loss).tolist() == [1000, 0, 0]


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def grey(model, count, seed=0):
    """Images of the model's shape, float32 in [0, 1]."""
    return (images_of(model.image_shape, count, seed)[0] / 255).astype("float32")


def kl_to_the_prior(z_mean, z_log_var):
    terms = z_mean**2 + np.exp(z_log_var) - 1 - z_log_var
    return 0.5 * terms.reshape(len(terms), -1).sum(axis=1)


@pytest.fixture(scope="module")
def model():
    """A VAE whose codes tell the three kinds of images apart."""
    keras.utils.set_random_seed(0)
    model = VAE((8, 8, 1), widths=(16,), seed=0)
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=False, steps_per_execution=1)
    model.fit(*lesson(model), batch_size=8, epochs=15, verbose=0)
    return model


@pytest.mark.parametrize("make", [vae_classifier, conv_vae_map])
def test_the_posterior_is_what_the_encoder_says(make):
    model = make()
    images = grey(model, 5)
    z_mean, z_log_var = model.posterior(images)
    assert z_mean.shape == z_log_var.shape == (5, *model.code_shape)
    assert z_mean.dtype == z_log_var.dtype == np.float32
    for found, expected in zip((z_mean, z_log_var), model.encoder(images), strict=True):
        np.testing.assert_allclose(found, as_numpy(expected), 1e-4, 1e-6)
    np.testing.assert_array_equal(z_mean, model.encode(images))
    as_bytes = images_of(model.image_shape, 5)[0]
    np.testing.assert_allclose(model.posterior(as_bytes)[1], z_log_var, 1e-4, 1e-6)


@pytest.mark.parametrize("make", [vae_classifier, conv_vae_map])
def test_the_likelihood_of_every_image_for_codes_of_its_own(make):
    model = make(likelihood="bernoulli")
    # Two sizes, the second of which the first was not compiled for.
    for count, draws in ((5, 3), (2, 4)):
        images = grey(model, count)
        codes = np.random.default_rng(0).normal(size=(draws, count, *model.code_shape))
        logits = as_numpy(model.decoder(codes.reshape(-1, *model.code_shape).astype("float32")))
        logits = logits.reshape(draws, count, *model.image_shape)
        found = model.log_likelihood(images, codes)
        assert found.shape == (draws, count)
        np.testing.assert_allclose(found, bernoulli_log_likelihood(images, logits), 1e-4)


def test_the_likelihood_of_gaussian_pixels():
    model = VAE((8, 8, 1), widths=(4,), likelihood="gaussian", seed=0)
    images = grey(model, 3)
    codes = np.random.default_rng(0).normal(size=(2, 3, 2)).astype("float32")
    means = np.stack([model.decode(code) for code in codes]).astype("float64")
    density = np.exp(-0.5 * ((images - means) / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi))
    expected = np.log(density).sum(axis=(2, 3, 4))
    np.testing.assert_allclose(model.log_likelihood(images, codes), expected, 1e-4)


def test_the_likelihood_is_that_of_the_weights_of_the_moment(model):
    twin = VAE.from_config(model.get_config())
    images, codes = grey(model, 2), np.ones((1, 2, 2))
    expected = model.log_likelihood(images, codes)
    assert np.abs(twin.log_likelihood(images, codes) - expected).min() > 1
    known = [v.path for v in twin.variables]
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.log_likelihood(images, codes), expected, 1e-5)
    assert [v.path for v in twin.variables] == known


def test_the_negative_elbo_is_exact_where_no_code_matters():
    keras.utils.set_random_seed(1)
    model = VAE((8, 8, 1), 3, widths=(4,), beta=0.1, seed=1)
    images = grey(model, 7)
    first = model.decoder.trainable_variables[0]
    first.assign(np.zeros(first.shape))
    logits = as_numpy(model.decoder(np.zeros((1, 3), "float32")))
    kl = kl_to_the_prior(*(as_numpy(part) for part in model.encoder(images)))
    expected = kl - bernoulli_log_likelihood(images, logits)
    assert kl.min() > 0.01
    for draws, batch_size in ((1, 500), (4, 3)):
        found = model.negative_elbo(images, draws, batch_size)
        assert found.shape == (7,)
        np.testing.assert_allclose(found, expected, 1e-4)


def test_the_negative_elbo_is_the_mean_over_draws(model):
    images = grey(model, 4)
    z_mean, z_log_var = (part.astype("float64") for part in model.posterior(images))
    rng = np.random.default_rng(7)
    z = z_mean + np.exp(z_log_var / 2) * rng.normal(size=(4000, 4, 2))
    logits = model.decoder.predict(z.reshape(-1, 2).astype("float32"), verbose=0)
    reconstruction = -bernoulli_log_likelihood(images, logits.reshape(4000, *images.shape))
    expected = kl_to_the_prior(z_mean, z_log_var) + reconstruction.mean(axis=0)
    error = reconstruction.std(axis=0) / np.sqrt(4000)
    found = model.negative_elbo(images, draws=4000)
    assert error.max() < 0.05
    np.testing.assert_array_less(np.abs(found - expected), 6 * error)


def test_the_negative_elbo_is_what_evaluation_shows_and_repeats(model):
    images = grey(model, 400)
    found = model.negative_elbo(images)
    np.testing.assert_array_equal(found, model.negative_elbo(images))
    as_bytes = images_of(model.image_shape, 400)[0]
    np.testing.assert_allclose(model.negative_elbo(as_bytes), found, 1e-5)
    assert model.beta == 1
    shown = model.evaluate(images, verbose=0)["loss"]
    # One draw an image against four; without the KL divergence it would be off by nats.
    assert found.mean() == pytest.approx(shown, abs=0.2)


def test_importance_sampling_tightens_the_elbo(model):
    images = grey(model, 60)
    elbo = model.negative_elbo(images, draws=50).mean()
    bounds = [
        importance_weighted_nll(
            images, model.posterior, model.log_likelihood, samples, batch_size=30
        ).mean()
        for samples in (1, 200)
    ]
    assert bounds[0] == pytest.approx(elbo, abs=0.2)
    assert bounds[1] < elbo - 0.02


@pytest.mark.parametrize("shape", [(2, 8, 9, 1), (2, 8, 8, 3), (8, 8)])
def test_other_images_are_refused(model, shape):
    for verb in (model.posterior, model.negative_elbo):
        with pytest.raises(InputError, match=r"this model takes \(N, 8, 8, 1\)"):
            verb(np.zeros(shape, "float32"))
