"""The two players: whose weights a step moves, what the losses are, which networks there are."""

from math import prod

import keras
import numpy as np
import pytest
from keras import layers, ops
from tiny_models import (
    GANS,
    MODELS,
    HingeGAN,
    dcgan,
    differ,
    hinge,
    images_of,
    lesson,
    lsgan,
    side_by_side,
    values_of,
)

from common.errors import InputError
from common.metrics import MetricKind
from common.models import DCGAN, LSGAN, WGAN
from common.models.gan_steps import frozen_statistics
from common.networks.gans import NETWORKS, gan_networks
from common.training.gan_optimizer import GANOptimizer
from common.training.precision import precision

SHAPE = (12, 16, 1)

pytestmark = pytest.mark.usefixtures("without_xla")


def with_statistics(kind, dtype="float32", **options):
    """A small model both of whose networks have BatchNorm, and the discriminator dropout."""
    z, images = keras.Input((3,)), keras.Input(SHAPE)
    with precision(keras.DTypePolicy(dtype)):
        h = layers.Dense(8, use_bias=False)(z)
        h = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.8)(h))
        h = layers.Dense(prod(SHAPE), activation="tanh", dtype="float32")(h)
        generator = keras.Model(z, layers.Reshape(SHAPE, dtype="float32")(h))
        h = layers.Dense(8, use_bias=False)(layers.Flatten()(images))
        h = layers.LeakyReLU(0.2)(layers.BatchNormalization(momentum=0.8)(h))
        scores = layers.Dense(1, dtype="float32")(layers.Dropout(0.25)(h))
        discriminator = keras.Model(images, scores)
    networks = {"generator": generator, "discriminator": discriminator}
    return kind(SHAPE, 3, **networks, seed=1, dtype=dtype, **options)


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def run_step(model, monkeypatch, step):
    """One compiled step of `fit` that does only what `step(model, images)` does."""
    monkeypatch.setattr(
        type(model), "training_step", lambda self, images, labels=None: step(self, images)
    )
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    players = (model.generator, model.discriminator)
    before = [values_of(player.variables) for player in players]
    images = images_of(SHAPE, 16)[0]
    size = 8 // model.batches_per_step
    model.fit(images, batch_size=size, epochs=1, verbose=0)
    after = [values_of(player.variables) for player in players]
    return [np.array(differ(*pair)) for pair in zip(before, after, strict=True)]


def seeds(network):
    """Which of a network's variables are no weights but the state of Dropout's noise."""
    weights = {id(w) for w in network.weights}
    return np.array([id(v) not in weights for v in network.variables])


@pytest.mark.parametrize("kind", [DCGAN, WGAN])
def test_a_generator_step_leaves_the_discriminator_untouched(kind, monkeypatch):
    model = with_statistics(kind)

    def step(self, images):
        self.generator_step(ops.shape(images)[0])

    generator, discriminator = run_step(model, monkeypatch, step)
    assert generator.all()
    assert not discriminator[~seeds(model.discriminator)].any()


@pytest.mark.parametrize("kind", [DCGAN, WGAN])
def test_a_discriminator_step_leaves_the_generator_untouched(kind, monkeypatch):
    # Bounds that no weight starts at, where it could be held, and shares of more than one image.
    model = with_statistics(kind, **({"clip_value": 2.0, "n_critic": 2} if kind is WGAN else {}))
    whole_step = kind.training_step

    def without_generator_step(self, images):
        def fakes_alone(self, count):
            with frozen_statistics(self.generator):
                return self.generator(self.sample_latent(count), training=True)

        monkeypatch.setattr(type(self), "generator_step", fakes_alone)
        whole_step(self, images)

    generator, discriminator = run_step(model, monkeypatch, without_generator_step)
    assert not generator.any()
    # A critic's last bias cancels in f(G(z)) − f(x).
    expected = ~seeds(model.discriminator)
    if kind is WGAN:
        bias = model.critic.layers[-1].bias
        expected &= [v is not bias for v in model.critic.variables]
    assert discriminator[expected].all()


def test_the_critic_takes_n_steps_for_one_of_the_generator_and_changes_only_itself(monkeypatch):
    model = with_statistics(WGAN, n_critic=2)
    whole_step, moved = WGAN.training_step, []

    def without_generator_step(self, images):
        monkeypatch.setattr(type(self), "generator_step", lambda self, count: moved.append(count))
        whole_step(self, images)

    generator, discriminator = run_step(model, monkeypatch, without_generator_step)
    assert moved and not generator.any() and discriminator.any()
    steps = [int(player.iterations) for player in model.optimizers]
    assert steps == [0, 2 * (16 // 8)]


def test_frozen_statistics_thaw_whatever_happens():
    model = with_statistics(DCGAN)
    norms = [x for x in model.discriminator.layers if isinstance(x, layers.BatchNormalization)]
    assert {norm.momentum for norm in norms} == {0.8}
    with pytest.raises(KeyError), frozen_statistics(model.discriminator):
        raise KeyError
    assert {norm.momentum for norm in norms} == {0.8}


class Bounds(keras.callbacks.Callback):
    """The largest trainable and the largest other value of the critic after each step."""

    def __init__(self):
        super().__init__()
        self.trainable, self.others = [], []

    def on_train_batch_end(self, batch, logs=None):
        critic = self.model.critic
        for found, variables in (
            (self.trainable, critic.trainable_variables),
            (self.others, [w for w in critic.weights if not w.trainable]),
        ):
            found.append(max(np.abs(as_numpy(v)).max() for v in variables))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_clipping_bounds_the_trainable_weights_after_every_step(dtype):
    model = with_statistics(WGAN, dtype, n_critic=1, clip_value=0.05)
    bounds = Bounds()
    model.compile(critic_optimizer=keras.optimizers.RMSprop(0.1))
    images = images_of(SHAPE)[0]
    model.fit(images, batch_size=16, callbacks=[bounds], verbose=0)
    np.testing.assert_allclose(bounds.trainable, [0.05] * 3, 1e-6)
    assert min(bounds.others) > 0.1
    assert all(v.constraint is None for v in model.generator.trainable_variables)


def test_the_critic_starts_within_its_bounds():
    critic = with_statistics(WGAN, clip_value=0.02).critic
    assert max(np.abs(as_numpy(v)).max() for v in critic.trainable_variables) <= 0.02 * (1 + 1e-6)
    variances = [v for v in critic.weights if v.name == "moving_variance"]
    assert variances and all((as_numpy(v) == 1).all() for v in variances)


@pytest.mark.parametrize(
    "dtype",
    ["float32", "mixed_float16", pytest.param("float64", marks=pytest.mark.slow)],
)
def test_the_average_follows_its_formula(dtype):
    model = lsgan(dtype=keras.DTypePolicy(dtype))
    model.compile(keras.optimizers.Adam(1e-2))
    average = values_of(model.ema_generator.weights)
    assert not any(differ(average, values_of(model.generator.weights)))
    (images,) = lesson(model)
    for _ in range(5):
        model.fit(images[:24], batch_size=24, verbose=0)
        done = int(model.optimizers[0].iterations)
        momentum = min(0.9, (1 + done) / (10 + done))
        current = values_of(model.generator.weights)
        average = [momentum * a + (1 - momentum) * c for a, c in zip(average, current, strict=True)]
    for expected, found in zip(average, values_of(model.ema_generator.weights), strict=True):
        np.testing.assert_allclose(found, expected, 1e-4, 1e-6)
    assert done >= (3 if dtype == "mixed_float16" else 5)  # float16 may skip the first
    z = np.random.default_rng(2).standard_normal((4, 4), "float32")
    drawn = (as_numpy(model.ema_generator(z)) + 1) / 2
    np.testing.assert_allclose(model.sample(4, seed=2), drawn, atol=2e-3)
    assert np.abs(as_numpy(model.generator(z)) / 2 + 0.5 - drawn).max() > 4e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_that_are_too_coarse_to_learn_with(dtype):
    with pytest.raises(InputError, match=f"weights in {dtype}, .* take mixed_{dtype}"):
        lsgan(dtype=keras.DTypePolicy(dtype))


def scores():
    rng = np.random.default_rng(0)
    real, fake = rng.normal(0, 3, (2, 50, 1)).astype("float32")
    return real, fake, ops.convert_to_tensor(real), ops.convert_to_tensor(fake)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.3])
def test_the_dcgan_descends_the_cross_entropy_with_smoothed_targets(smoothing):
    real, fake, *tensors = scores()
    model = dcgan()
    model.label_smoothing = smoothing
    p, q = (1 / (1 + np.exp(-s.astype("float64"))) for s in (real, fake))
    expected = -((1 - smoothing) * np.log(p) + smoothing * np.log(1 - p)) - np.log(1 - q)
    np.testing.assert_allclose(as_numpy(model.discriminator_loss(*tensors)), expected, 1e-4)
    np.testing.assert_allclose(as_numpy(model.generator_loss(tensors[1])), -np.log(q), 1e-4)
    found = model.score_metrics(*tensors)
    assert float(found["d_real"]) == pytest.approx(p.mean(), 1e-5)
    assert float(found["d_fake"]) == pytest.approx(q.mean(), 1e-5)


def test_the_lsgan_descends_squares():
    real, fake, *tensors = scores()
    model = lsgan()
    expected = ((real - 1) ** 2 + fake**2) / 2
    np.testing.assert_allclose(as_numpy(model.discriminator_loss(*tensors)), expected, 1e-4)
    np.testing.assert_allclose(
        as_numpy(model.generator_loss(tensors[1])), (fake - 1) ** 2 / 2, 1e-4
    )


def test_the_wgan_descends_the_distance():
    real, fake, *tensors = scores()
    model = MODELS["wgan"]()
    np.testing.assert_allclose(as_numpy(model.discriminator_loss(*tensors)), fake - real)
    np.testing.assert_allclose(as_numpy(model.generator_loss(tensors[1])), -fake)
    distance = float(model.score_metrics(*tensors)["critic_distance"])
    assert distance == pytest.approx(real.mean() - fake.mean(), 1e-4)


@pytest.mark.parametrize("name", GANS)
def test_what_is_shown_is_what_the_losses_say(name):
    """`evaluate` against the networks' own outputs, on the noise that evaluation uses."""
    model = MODELS[name]()
    model.compile(jit_compile=False)  # XLA draws otherwise
    (images,) = lesson(model, 24)
    found = model.evaluate(images, batch_size=24, verbose=0)
    z = keras.random.normal((24, model.latent_dim), seed=0)
    fake, real = (
        model.discriminator(ops.convert_to_tensor(side_by_side(shown, model.pack), "float32"))
        for shown in (as_numpy(model.generator(z)), images / 127.5 - 1.0)
    )
    expected = {
        "generator_loss": float(ops.mean(model.generator_loss(fake))),
        model.loss_name: float(ops.mean(model.discriminator_loss(real, fake))),
        **{name: float(value) for name, value in model.score_metrics(real, fake).items()},
    }
    assert found == pytest.approx(expected, 1e-4, 1e-5)


class Critics(HingeGAN):
    """Names of one's own for a loss and a metric, of which the zoo knows the first."""

    loss_name = "critic_loss"

    def score_metrics(self, real, fake):
        return {"margin": ops.mean(ops.relu(1.0 - real))}


def test_a_new_variant_takes_two_losses_and_says_what_it_shows():
    player = MetricKind("player loss")
    assert hinge().metric_kinds == {
        "generator_loss": player,
        "discriminator_loss": player,
        "score_real": MetricKind("score", "real"),
        "score_fake": MetricKind("score", "fake"),
    }
    model = with_statistics(Critics)
    kinds = {"generator_loss": player, "critic_loss": player, "margin": MetricKind("")}
    assert model.metric_kinds == kinds
    model.compile()
    history = model.fit(images_of(SHAPE)[0], batch_size=8, epochs=2, verbose=0).history
    assert set(history) == set(kinds)
    assert all(np.isfinite(values).all() for values in history.values())


def test_given_optimizers_are_used_each_for_its_player():
    model = dcgan()
    model.compile("sgd", keras.optimizers.Adam(3e-3), cosine_decay=True)
    assert isinstance(model.optimizer, GANOptimizer)
    generator, discriminator = model.optimizers
    assert isinstance(generator, keras.optimizers.SGD)
    assert isinstance(discriminator, keras.optimizers.Adam)
    assert len(generator.variables) == 2
    slots = 2 * len(model.discriminator.trainable_variables)
    assert len(discriminator.variables) == 2 + slots
    assert len(model.optimizer.variables) == 4 + slots


@pytest.mark.parametrize(
    ("kind", "name"),
    [(DCGAN, "dcgan_mnist"), (LSGAN, "lsgan_mnist"), (WGAN, "wgan_mnist")],
)
def test_default_optimizers_are_the_recipes(kind, name):
    small = {"image_shape": (8, 8, 1), "width": 1 / 32}
    model = kind(**small)
    model.compile()
    recipe = kind.from_preset(name, **small)
    assert model.networks == recipe.networks
    for ours, theirs in zip(model.optimizers, recipe.optimizers, strict=True):
        assert type(ours) is type(theirs)
        assert ours.get_config() | {"name": ""} == theirs.get_config() | {"name": ""}
    assert model.cosine_decay is recipe.cosine_decay is True


def test_a_learning_rate_callback_moves_both_players():
    model = with_statistics(DCGAN)
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.4))
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = model.fit(*lesson(model), epochs=2, callbacks=[halve], verbose=0).history
    assert [float(o.learning_rate) for o in model.optimizers] == pytest.approx([0.025, 0.1])
    assert history["learning_rate"] == pytest.approx([0.05, 0.025])


def test_a_batch_of_fewer_images_than_critic_steps_is_learned_from():
    model = with_statistics(WGAN, n_critic=2)
    model.compile()
    images = images_of(model.image_shape, 1)[0]

    class One(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return images

    history = model.fit(One(), verbose=0).history
    assert np.isfinite(history["critic_loss"]).all() and model.n_critic == 2
    assert [int(player.iterations) for player in model.optimizers] == [2, 4]


def test_mixed_float16_scales_the_losses_of_both_players():
    model = dcgan(dtype="mixed_float16")
    model.compile("adam", "rmsprop")
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) for o in model.optimizers)
    inner = [type(o.inner_optimizer).__name__ for o in model.optimizers]
    assert inner == ["Adam", "RMSprop"]
    twin = dcgan(dtype="mixed_float16")
    twin.compile_from_config(model.get_compile_config())
    assert [type(o.inner_optimizer).__name__ for o in twin.optimizers] == inner


def shapes_of(network, kind):
    """The output shapes of a network's layers of one kind."""
    return [tuple(x.output.shape[1:]) for x in network.layers if isinstance(x, kind)]


def test_the_seeds_mnist_networks():
    generator, discriminator = gan_networks("mnist", (28, 28, 1), 100, 1.0)
    assert shapes_of(generator, layers.Reshape) == [(7, 7, 256)]
    transposed = [x for x in generator.layers if isinstance(x, layers.Conv2DTranspose)]
    assert [tuple(x.output.shape[1:]) for x in transposed] == [
        (7, 7, 128),
        (14, 14, 64),
        (28, 28, 1),
    ]
    assert [(x.kernel_size, x.strides) for x in transposed] == [
        ((5, 5), (1, 1)),
        ((5, 5), (2, 2)),
        ((5, 5), (2, 2)),
    ]
    norms = [x for x in generator.layers if isinstance(x, layers.BatchNormalization)]
    assert [norm.momentum for norm in norms] == [0.8] * 3
    leaks = [x for x in generator.layers if isinstance(x, layers.LeakyReLU)]
    assert [leak.negative_slope for leak in leaks] == pytest.approx([0.2] * 3)
    assert shapes_of(discriminator, layers.Conv2D) == [(14, 14, 64), (7, 7, 128)]
    drops = [x for x in discriminator.layers if isinstance(x, layers.Dropout)]
    assert [drop.rate for drop in drops] == [0.25, 0.25]
    assert generator.input.shape == (None, 100) and discriminator.output.shape == (None, 1)


def test_the_seeds_polynomial_networks():
    generator, discriminator = gan_networks("polynomials", (40, 40, 1), 2, 1.0)
    assert shapes_of(generator, layers.Reshape) == [(10, 10, 128)]
    doubled = [(20, 20, 128), (40, 40, 128)]
    assert shapes_of(generator, layers.UpSampling2D) == doubled
    convolutions = [x for x in generator.layers if isinstance(x, layers.Conv2D)]
    assert {x.kernel_size for x in convolutions} == {(3, 3)}
    filters = [shape[-1] for shape in shapes_of(discriminator, layers.Conv2D)]
    assert filters == [16, 32, 64, 128]
    twin, critic = gan_networks("polynomials_critic", (40, 40, 1), 2, 1.0)
    assert [v.shape for v in twin.variables] == [v.shape for v in generator.variables]
    assert [shape[-1] for shape in shapes_of(critic, layers.Conv2D)] == [128, 256, 512, 1024]


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3), (40, 40, 1), (64, 64, 3)], ids=str)
@pytest.mark.parametrize("networks", NETWORKS)
def test_networks_make_images_of_every_size(networks, shape):
    generator, discriminator = gan_networks(networks, shape, 5, 1 / 32)
    assert generator.input.shape == (None, 5) and generator.output.shape == (None, *shape)
    assert discriminator.input.shape == (None, *shape) and discriminator.output.shape == (None, 1)


def test_dense_players_run_as_dense_networks_do():
    for networks in NETWORKS:
        model = DCGAN((8, 8, 1), 3, networks=networks, width=1 / 32)
        assert model.convolutional is not networks.startswith("smooth"), networks


def test_width_scales_every_layer():
    narrow, _ = gan_networks("mnist", (28, 28, 1), 10, 0.25)
    assert shapes_of(narrow, layers.Reshape) == [(7, 7, 64)]


@pytest.mark.parametrize("networks", NETWORKS)
@pytest.mark.parametrize("shape", [(30, 30, 1), (28, 27, 3)])
def test_images_of_any_shape_but_by_the_seeds_networks(networks, shape):
    if networks in ("mnist", "polynomials", "polynomials_critic"):
        with pytest.raises(InputError, match=r'multiples of 4: take the networks "paper" or'):
            DCGAN(shape, networks=networks)
    else:
        generator, discriminator = gan_networks(networks, shape, 100, 1 / 32)
        images = generator(np.zeros((2, 100)))
        assert images.shape == (2, *shape)
        assert discriminator(images).shape == (2, 1)


def test_sizes_that_no_generator_makes():
    with pytest.raises(InputError, match="both sides must be at least 8"):
        DCGAN((4, 4, 1))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (WGAN, {"n_critic": 0}, "n_critic=0; expected a whole number of at least 1"),
        (WGAN, {"n_critic": 2.5}, "n_critic=2.5"),
        (WGAN, {"clip_value": 0}, "clip_value=0; expected a number above 0"),
        (WGAN, {"clip_value": -0.01}, "clip_value=-0.01"),
        (WGAN, {"clip_value": float("nan")}, "clip_value=nan"),
        (DCGAN, {"label_smoothing": 1.0}, "label_smoothing=1.0; expected 0 to below 1"),
        (DCGAN, {"label_smoothing": -0.1}, "label_smoothing=-0.1"),
        (LSGAN, {"ema_momentum": 1.0}, "ema_momentum=1.0; expected 0 to below 1"),
        (LSGAN, {"latent_dim": 0}, "latent_dim=0; expected a whole number of at least 1"),
        (DCGAN, {"pack": 0}, "pack=0; expected a whole number of at least 1"),
        (WGAN, {"pack": 1.5}, r"pack=1\.5"),
        (LSGAN, {"networks": "resnet"}, "'resnet' are unknown; choose from .*mnist"),
    ],
)
def test_arguments_that_cannot_be_used(kind, options, message):
    with pytest.raises(InputError, match=message):
        kind((28, 28, 1), **options)


def test_batches_larger_than_the_data():
    images = images_of((12, 16, 1), 16)[0]
    model = MODELS["wgan"]()
    model.compile()
    with pytest.raises(InputError, match=r"16 images for steps of 20; .*at most 8"):
        model.fit(images, batch_size=10, verbose=0)
    assert int(model.optimizers[0].iterations) == 0
    model = DCGAN(SHAPE, 3, width=1 / 32)
    model.compile()
    with pytest.raises(InputError, match=r"16 images for steps of 17; .*at most 16"):
        model.fit(images, batch_size=17, verbose=0)


def test_packs_larger_than_a_batch():
    model = DCGAN(SHAPE, 3, width=1 / 32, pack=5)
    model.compile()
    with pytest.raises(InputError, match="batches of 4 images for packs of 5"):
        model.fit(images_of(SHAPE, 16)[0], batch_size=4, verbose=0)


def test_data_of_fewer_images_than_critic_steps():
    model = MODELS["wgan"]()
    model.compile()
    with pytest.raises(InputError, match="1 images for steps of 2; give more images"):
        model.fit(images_of((12, 16, 1), 1)[0], batch_size=1, verbose=0)


def test_no_samples():
    with pytest.raises(InputError, match="n=0; expected a whole number of at least 1"):
        dcgan().sample(0)


def test_validation_needs_no_full_batch():
    model = with_statistics(DCGAN)
    model.compile()
    images = images_of(SHAPE, 16)[0]
    history = model.fit(images, batch_size=16, validation_data=images[:3], verbose=0).history
    assert np.isfinite(history["val_generator_loss"]).all()
