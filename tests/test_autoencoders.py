"""What the autoencoders compute, against closed forms; and how training stops when it must."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops
from tiny_models import (
    MODELS,
    QUICK,
    ae,
    classifier,
    differ,
    images_of,
    lesson,
    vae,
    vae_classifier,
    values_of,
)

from common.models import AE, VAE
from common.models.likelihoods import LIKELIHOODS
from common.models.vae import kl_divergence, reparameterize
from common.training import session
from common.training.rates import rates_of


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def likelihood(name, images, logits):
    tensors = map(ops.convert_to_tensor, (images, logits))
    return as_numpy(LIKELIHOODS[name].loss(*tensors))


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


@pytest.fixture
def pixels():
    """Grey images and logits of a few of each, and of one that are all but certain."""
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(4, 3, 5, 2)).astype("float32")
    logits = rng.normal(0, 2, images.shape).astype("float32")
    images[3], logits[3] = np.round(images[3]), 60 * (2 * np.round(images[3]) - 1)
    return images, logits


def test_bernoulli_is_the_cross_entropy_summed_over_pixels(pixels):
    images, logits = pixels
    found = likelihood("bernoulli", images, logits)
    p = sigmoid(logits.astype("float64"))[:3]
    expected = -(images[:3] * np.log(p) + (1 - images[:3]) * np.log(1 - p)).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(found[:3], expected, 1e-5)
    assert 0 <= found[3] < 1e-6


def test_bernoulli_stays_finite_when_certain_and_wrong(pixels):
    images, logits = pixels
    found = likelihood("bernoulli", images[3:], -100 * logits[3:])
    np.testing.assert_allclose(found, [6000 * images[3].size], 1e-5)


def test_gaussian_is_the_density_of_pixels_of_deviation_one_tenth(pixels):
    images, logits = pixels
    found = likelihood("gaussian", images, logits)
    error = images - sigmoid(logits.astype("float64"))
    density = np.exp(-0.5 * (error / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi))
    np.testing.assert_allclose(found, -np.log(density).sum(axis=(1, 2, 3)), 1e-5)


def test_squared_error_is_the_size_times_the_mean_squared_error(pixels):
    images, logits = pixels
    found = likelihood("squared_error", images, logits)
    error = images - sigmoid(logits.astype("float64"))
    expected = 30 * (error**2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(found, expected, 1e-5, 1e-7)


def test_kl_divergence_is_the_integral_of_the_log_ratio():
    z_mean = np.array([[0.0, 0.0], [1.5, -0.5], [-2.0, 0.3]], "float32")
    z_log_var = np.array([[0.0, 0.0], [-1.0, 0.7], [0.2, -3.0]], "float32")
    z = np.linspace(-15, 15, 300_001)
    expected = np.zeros(3)
    for image in range(3):
        for mean, log_var in zip(z_mean[image], z_log_var[image], strict=True):
            log_q = -0.5 * ((z - mean) ** 2 / np.exp(log_var) + log_var + np.log(2 * np.pi))
            log_p = -0.5 * (z**2 + np.log(2 * np.pi))
            expected[image] += (np.exp(log_q) * (log_q - log_p)).sum() * (z[1] - z[0])
    np.testing.assert_allclose(as_numpy(kl_divergence(z_mean, z_log_var)), expected, 1e-4, 1e-6)


def test_reparameterization_has_the_mean_and_deviation_it_is_given():
    noise = np.random.default_rng(0).standard_normal((100_000, 2)).astype("float32")
    z_mean = np.broadcast_to(np.float32([1.0, -2.0]), noise.shape)
    z_log_var = np.broadcast_to(np.log(np.float32([4.0, 0.25])), noise.shape)
    z = as_numpy(reparameterize([*map(ops.convert_to_tensor, (z_mean, z_log_var, noise))]))
    np.testing.assert_allclose(z.mean(axis=0), [1, -2], atol=0.02)
    np.testing.assert_allclose(z.std(axis=0), [2, 0.5], 0.01)


def test_the_reparameterization_layer_loads_in_safe_mode():
    layer = VAE((8, 8, 1), widths=(4,)).sampling
    assert isinstance(layer, keras.layers.Lambda) and layer.function is reparameterize
    assert keras.saving.get_registered_name(reparameterize) == "zoo>reparameterize"
    twin = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(layer), safe_mode=True
    )
    assert twin.function is reparameterize


def quick(model, optimizer=None, **options):
    """Compiled without XLA, which takes longer to compile than these tests to run."""
    model.compile(optimizer, **QUICK, **options)
    return model


@pytest.fixture(scope="module")
def weighted():
    """A model with every term, and the history of two epochs."""
    model = VAE((8, 8, 1), num_classes=3, widths=(16,), beta=0.3, classifier_weight=7.0, seed=0)
    data = lesson(quick(model))
    history = model.fit(*data, batch_size=16, epochs=2, validation_data=data, verbose=0).history
    return model, history


@pytest.mark.parametrize("prefix", ["", "val_"])
def test_the_loss_is_the_sum_of_its_terms(weighted, prefix):
    logs = {name: np.array(values) for name, values in weighted[1].items()}
    expected = (
        logs[f"{prefix}reconstruction_loss"]
        + 0.3 * logs[f"{prefix}kl_loss"]
        + 7.0 * logs[f"{prefix}classifier_loss"]
    )
    np.testing.assert_allclose(logs[f"{prefix}loss"], expected, 1e-5)
    assert min(logs[f"{prefix}kl_loss"]) > 1e-3 and min(logs[f"{prefix}classifier_loss"]) > 1e-3


def test_evaluation_is_validation(weighted):
    model, history = weighted
    found = model.evaluate(*lesson(model), batch_size=16, verbose=0)
    assert found == pytest.approx({name: history[f"val_{name}"][-1] for name in found}, 1e-5)


def test_the_terms_are_those_of_the_verbs(weighted):
    model, _ = weighted
    images, labels = lesson(model, 30)
    found = model.evaluate(images, labels, batch_size=30, verbose=0)
    beliefs = model.classify(images)
    cross_entropy = -np.log(beliefs[np.arange(30), labels]).mean()
    assert found["classifier_loss"] > cross_entropy / 2  # of a draw of z, not of its mean
    z_mean, z_log_var = (as_numpy(part) for part in model.encoder(images / np.float32(255)))
    np.testing.assert_allclose(model.encode(images), z_mean, 1e-4, 1e-5)
    kl = 0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var).sum(axis=1).mean()
    assert found["kl_loss"] == pytest.approx(kl, 1e-4)


def test_an_autoencoder_is_judged_by_what_its_verbs_return():
    model = quick(AE((8, 8, 1), num_classes=3, widths=(16,), seed=0), keras.optimizers.Adam(1e-2))
    images, labels = lesson(model)
    model.fit(images, labels, batch_size=8, epochs=12, verbose=0)
    found = model.evaluate(images, labels, batch_size=20, verbose=0)
    error = images / 255 - model.reconstruct(images)
    beliefs = model.classify(images)
    assert found["reconstruction_loss"] == pytest.approx((error**2).sum() / len(images), 1e-4)
    cross_entropy = -np.log(beliefs[np.arange(len(labels)), labels]).mean()
    assert found["classifier_loss"] == pytest.approx(cross_entropy, 1e-3)
    assert found["classifier_accuracy"] == pytest.approx((beliefs.argmax(1) == labels).mean())
    assert found["classifier_accuracy"] > 0.9
    np.testing.assert_allclose(model.decode(model.encode(images)), model.reconstruct(images))


def test_without_a_classifier_there_is_one_term():
    model = quick(ae())
    found = model.evaluate(*lesson(model), verbose=0)
    assert set(found) == {"loss", "reconstruction_loss"}
    assert found["loss"] == found["reconstruction_loss"]


@pytest.mark.parametrize("make", [ae, vae])
def test_evaluation_counts_every_image_once(make):
    model = quick(make())
    (images,) = lesson(model, 37)
    # 7 does not divide 37; a VAE's noise depends on the place in the batch, its KL does not.
    whole, parts = (model.evaluate(images, batch_size=b, verbose=0) for b in (37, 7))
    term = "kl_loss" if "kl_loss" in whole else "reconstruction_loss"
    assert parts[term] == pytest.approx(whole[term], 1e-5)


def test_input_noise_is_for_what_is_encoded_in_training(monkeypatch):
    model = AE((8, 8, 1), num_classes=3, widths=(16,), input_noise=0.25, seed=0)
    images, labels = lesson(model)
    images = (images / 255).astype("float32")
    encoded, compared = [], []
    encode, squared_error = model.encoder.call, model.pixels

    def watch_encoder(noisy, **options):
        encoded.append(as_numpy(noisy))
        return encode(noisy, **options)

    def watch_likelihood(clean, logits):
        compared.append(as_numpy(clean))
        return squared_error.loss(clean, logits)

    monkeypatch.setattr(model.encoder, "call", watch_encoder)
    model.pixels = SimpleNamespace(loss=watch_likelihood, training_loss=watch_likelihood)
    for training in (True, True, False):
        model.compute_losses(ops.convert_to_tensor(images), ops.convert_to_tensor(labels), training)
    noise = [seen - images for seen in encoded]
    assert noise[0].std() == pytest.approx(0.25, 0.1) and abs(noise[0].mean()) < 0.02
    assert np.abs(noise[1] - noise[0]).max() > 0.1
    assert np.abs(noise[2]).max() == 0
    for seen in compared:
        np.testing.assert_array_equal(seen, images)


class Watch(keras.callbacks.Callback):
    """Step sizes and weights of each epoch, and the batches of each; `act` is called before."""

    def __init__(self, act=lambda epoch, model: None):
        super().__init__()
        self.act, self.rates, self.weights, self.batches = act, [], [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.act(epoch, self.model)
        self.rates.append([float(o.learning_rate) for o in self.model.optimizers])
        self.batches.append(0)

    def on_train_batch_end(self, batch, logs=None):
        self.batches[-1] += 1

    def on_epoch_end(self, epoch, logs=None):
        self.weights.append(values_of(self.model.weights))


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_the_default_step_size_falls_as_half_a_cosine(precision):
    model, watch = quick(ae(dtype=precision)), Watch()
    for _ in range(2):
        model.fit(*lesson(model), batch_size=24, epochs=4, callbacks=[watch], verbose=0)
        assert float(model.optimizer.learning_rate) == pytest.approx(2e-3)
    expected = 2e-3 * 0.5 * (1 + np.cos(np.pi * np.array([0.125, 0.375, 0.625, 0.875])))
    np.testing.assert_allclose(np.ravel(watch.rates), [*expected, *expected], 1e-5)


def test_the_step_size_of_the_moment_is_the_one_that_is_used():
    model, watch = quick(ae(), keras.optimizers.SGD(1e-4), cosine_decay=True), Watch()
    before = values_of(model.weights)
    model.fit(*lesson(model), batch_size=48, epochs=2, callbacks=[watch], verbose=0)
    still, slow = model, quick(ae(), keras.optimizers.SGD(1e-4))
    slow.set_weights(before)
    slow.optimizer.learning_rate = watch.rates[0][0]
    slow.fit(*lesson(still), batch_size=48, verbose=0)
    for ours, theirs in zip(watch.weights[0], values_of(slow.weights), strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)


@pytest.mark.parametrize(("kind", "name"), [(AE, "ae_mnist"), (VAE, "vae_mnist")])
def test_compile_takes_the_recipes_optimizer(kind, name):
    model = kind((8, 8, 1), widths=(4,))
    model.compile()
    recipe = kind.from_preset(name, image_shape=(8, 8, 1), widths=[4])
    assert model.cosine_decay is recipe.cosine_decay is True
    ours, theirs = model.optimizer.get_config(), recipe.optimizer.get_config()
    assert type(model.optimizer) is type(recipe.optimizer)
    assert ours | {"name": ""} == theirs | {"name": ""}


def test_an_interrupted_training_leaves_the_step_size_of_the_start():
    def interrupt(epoch, model):
        if epoch == 2:
            raise KeyboardInterrupt

    model = quick(ae())
    with pytest.raises(KeyboardInterrupt):
        model.fit(*lesson(model), epochs=4, callbacks=[Watch(interrupt)], verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(2e-3)


@pytest.mark.parametrize("make", [vae_classifier, classifier])
def test_bytes_and_floats_are_the_same_to_a_call(make):
    model = make()
    images = images_of(model.image_shape, 4)[0]
    floats = (images / 255).astype("float32")
    of_bytes = model.predict(images, verbose=0)
    np.testing.assert_allclose(of_bytes, model.predict(floats, verbose=0), atol=1e-5)


def test_a_given_optimizer_keeps_its_step_size():
    model, watch = quick(ae(), keras.optimizers.Adam(3e-3)), Watch()
    model.fit(*lesson(model), batch_size=24, epochs=2, callbacks=[watch], verbose=0)
    np.testing.assert_allclose(np.ravel(watch.rates), [3e-3, 3e-3], 1e-6)


def test_cosine_decay_moves_every_optimizer():
    model, rates = MODELS["lsgan"](), []
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.01), cosine_decay=True)
    see = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: rates.append(rates_of(model.optimizers))
    )
    model.fit(*lesson(model), batch_size=48, epochs=3, callbacks=see, verbose=0)
    factors = 0.5 * (1 + np.cos(np.pi * (np.arange(3) + 0.5) / 3))
    np.testing.assert_allclose(rates, np.outer(factors, [0.1, 0.01]), 1e-5)
    np.testing.assert_allclose(rates_of(model.optimizers), [0.1, 0.01], 1e-6)


def test_a_callback_may_reduce_the_decaying_rate_or_set_its_own():
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=1e9)
    factors = 0.5 * (1 + np.cos(np.pi * (np.arange(4) + 0.5) / 4))
    model = quick(ae())
    history = model.fit(*lesson(model), batch_size=48, epochs=4, callbacks=plateau, verbose=0)
    reduced = 2e-3 * factors * [1, 1, 0.1, 0.01]
    np.testing.assert_allclose(history.history["learning_rate"], reduced, 1e-5)
    own = keras.callbacks.LearningRateScheduler(lambda epoch: 0.001 * (epoch + 1))
    history = model.fit(*lesson(model), batch_size=48, epochs=3, callbacks=own, verbose=0)
    np.testing.assert_allclose(history.history["learning_rate"], [0.001, 0.002, 0.003], 1e-5)


def test_a_loss_that_is_not_finite_stops_training_at_the_last_good_epoch(monkeypatch):
    def spoil(epoch, model):
        if epoch == 2:
            model.optimizer.learning_rate = float("inf")

    monkeypatch.setattr(session, "SECONDS_BETWEEN_CHECKS", 0.0)
    model, watch = quick(vae_classifier(), keras.optimizers.Adam(1e-2)), Watch(spoil)
    with pytest.raises(
        FloatingPointError,
        match=r"at step \d of the epoch .*loss became .* end of epoch 2\. .*smaller",
    ):
        model.fit(*lesson(model), batch_size=4, epochs=5, callbacks=[watch], verbose=0)
    assert watch.batches[:2] == [12, 12] and len(watch.batches) == 3
    assert watch.batches[2] < 6
    assert not any(differ(values_of(model.weights), watch.weights[1]))

    history = model.fit(*lesson(model), batch_size=4, verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_weights_that_only_the_next_epoch_shows_to_be_spoilt_are_not_gone_back_to():
    # One step an epoch: the first leaves finite weights of which the KL divergence is infinite, and
    # its own loss is from before.
    model = quick(vae(), keras.optimizers.SGD(1e22), cosine_decay=False)
    before = values_of(model.weights)
    with pytest.raises(FloatingPointError, match="those that it began with"):
        model.fit(*lesson(model), batch_size=48, epochs=3, verbose=0)
    assert not any(differ(before, values_of(model.weights)))


@pytest.mark.parametrize("epochs", [1, 3])
def test_weights_that_are_not_finite_stop_training_whatever_seemed_best(epochs):
    model = quick(ae(), keras.optimizers.SGD(float("inf")), cosine_decay=False)
    before = values_of(model.weights)
    best = keras.callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True)
    with pytest.raises(FloatingPointError, match="those that it began with"):
        model.fit(*lesson(model), batch_size=48, epochs=epochs, callbacks=[best], verbose=0)
    assert not any(differ(before, values_of(model.weights)))


class NaNAmong(keras.utils.PyDataset):
    """Many batches, of which one is not finite."""

    def __len__(self):
        return 400

    def __getitem__(self, index):
        pixel = "nan" if index == 50 else 0.5
        return np.full((8, 12, 16, 3), pixel, "float32")


def test_a_loss_that_is_not_finite_within_an_epoch_leaves_a_usable_model(monkeypatch):
    # No callback beside the model's own: Keras then looks while the next steps already run.
    monkeypatch.setattr(session, "SECONDS_BETWEEN_CHECKS", 0.0)
    model = ae()
    model.compile()
    before = values_of(model.weights)
    with pytest.raises(FloatingPointError, match="those that it began with"):
        model.fit(NaNAmong(), shuffle=False, verbose=0)
    assert not any(differ(before, values_of(model.weights)))


def test_a_first_epoch_that_is_not_finite_leaves_the_weights_of_the_start():
    model = quick(ae(), keras.optimizers.SGD(1e30))
    before = values_of(model.weights)
    with pytest.raises(FloatingPointError, match="those that it began with"):
        model.fit(*lesson(model), batch_size=8, epochs=2, verbose=0)
    assert not any(differ(before, values_of(model.weights)))


def test_the_classifier_has_the_layers_it_is_given():
    model = AE((8, 8, 1), num_classes=3, classifier_widths=(7, 5), widths=(4,))
    shapes = [v.shape for v in model.classifier.trainable_variables if v.ndim == 2]
    assert shapes == [(2, 7), (7, 5), (5, 3)]


@pytest.mark.parametrize("kind", [AE, VAE])
def test_mirrored_images_are_learned_from_as_they_are_seen(kind):
    model = kind((4, 6, 2), widths=(4,), mirror=True, seed=0)
    images = np.random.default_rng(0).uniform(size=(64, 4, 6, 2)).astype("float32")
    tensor = ops.convert_to_tensor(images)
    found = as_numpy(model.mirrored(tensor, training=True)).astype("float32")
    flipped = (found == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert 16 < flipped.sum() < 48
    np.testing.assert_array_equal(found[~flipped], images[~flipped])
    np.testing.assert_array_equal(as_numpy(model.mirrored(tensor, False)), images)
    seen = []
    model.add_noise = lambda batch, training: seen.append(as_numpy(batch)) or batch
    model.reconstruction_loss = lambda batch, logits, training: (
        seen.append(as_numpy(batch)) or ops.mean(logits)
    )
    model.compute_losses(tensor, None, True)
    np.testing.assert_array_equal(*seen)
    assert (seen[0] != images).any() and model.get_config()["mirror"] is True
