"""Networks that users bring: those of the right shapes work as the zoo's, others are refused."""

import keras
import numpy as np
import pytest
from keras import layers
from tiny_models import dense_network, differ, images_of, lesson, values_of

from common.errors import InputError
from common.models import AE, DCGAN, VAE, WGAN

pytestmark = pytest.mark.usefixtures("without_xla")

SHAPE = (8, 12, 1)
PACKED = (8, 12, 2)


@keras.saving.register_keras_serializable("tests")
class Subclassed(keras.Model):
    """A network that is no graph of layers."""

    def __init__(self, shape, **kwargs):
        super().__init__(**kwargs)
        self.shape = list(shape)
        self.dense = layers.Dense(int(np.prod(shape)))
        self.reshape = layers.Reshape(shape)

    def call(self, inputs):
        return self.reshape(self.dense(layers.Flatten()(inputs)))

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


class Unregistered(Subclassed):
    def get_config(self):
        raise NotImplementedError("get_config is missing")


def convolutional(last=None):
    """An encoder to a map, and a decoder that ends in this activation."""
    encoder = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(2, 3, 2, padding="same")])
    up = layers.Conv2DTranspose(1, 3, 2, padding="same", activation=last)
    return {"encoder": encoder, "decoder": keras.Sequential([keras.Input((4, 6, 2)), up])}


def normalised(pack=1):
    """Players with BatchNorm, the second of which sees packs."""
    generator = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(96, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("tanh"),
            layers.Reshape(SHAPE),
        ]
    )
    discriminator = keras.Sequential(
        [
            keras.Input((8, 12, pack)),
            layers.Conv2D(4, 3, 2, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    return {"generator": generator, "discriminator": discriminator}


def map_code():
    return AE(SHAPE, **convolutional(), seed=0)


def subclassed():
    return VAE(
        SHAPE, encoder=dense_network(SHAPE, (3,), (3,)), decoder=Subclassed(SHAPE), num_classes=3
    )


def packed_average():
    return DCGAN(SHAPE, **normalised(2), pack=2, ema_momentum=0.9, seed=0)


@pytest.mark.parametrize("make", [map_code, subclassed, packed_average])
def test_own_networks_train_and_come_back_from_a_file(make, tmp_path):
    model = make()
    data = lesson(model, 16)
    model.compile()
    before = values_of(model.trainable_variables)
    model.fit(*data, batch_size=8, verbose=0)
    assert all(differ(before, values_of(model.trainable_variables)))

    model.save(tmp_path / "model.keras")
    loaded = type(model).load(tmp_path / "model.keras")
    assert not any(differ(values_of(model.weights), values_of(loaded.weights)))
    images, _ = images_of(SHAPE, 4)
    for verb in ("reconstruct", "encode", "classify"):
        if hasattr(model, verb) and (verb != "classify" or model.num_classes):
            found = getattr(loaded, verb)(images)
            np.testing.assert_allclose(found, getattr(model, verb)(images), 1e-5, 1e-6)
    np.testing.assert_allclose(loaded.sample(3, seed=1), model.sample(3, seed=1), 1e-5, 1e-6)


def test_an_average_of_an_own_generator_follows_it():
    model = packed_average()
    start = values_of(model.generator.weights)
    assert not any(differ(start, values_of(model.ema_generator.weights)))
    model.compile()
    model.fit(*lesson(model, 8), batch_size=8, verbose=0)
    momentum = min(0.9, 2 / 11)
    moved = zip(
        start,
        values_of(model.generator.weights),
        values_of(model.ema_generator.weights),
        strict=True,
    )
    for first, current, average in moved:
        expected = momentum * first + (1 - momentum) * current
        np.testing.assert_allclose(average, expected, 1e-4, 1e-6)


def test_sizes_are_those_of_the_networks():
    model = map_code()
    assert (model.code_shape, model.latent_dim, model.networks) == ((4, 6, 2), 2, None)
    assert model.convolutional
    gan = DCGAN(SHAPE, **normalised())
    assert gan.latent_dim == 5 and gan.sample(2).shape == (2, *SHAPE)
    config = gan.get_config()
    assert all(DCGAN.from_config(config).latent_dim == 5 for _ in range(2))


CODE, IMAGES, SCORE = (3,), SHAPE, (1,)
ENCODER, DECODER = (SHAPE, CODE), (CODE, IMAGES)


def coders(encoder=ENCODER, decoder=DECODER, last=None):
    return {
        "encoder": encoder and dense_network(*encoder),
        "decoder": decoder and dense_network(*decoder, activation=last),
    }


def players(generator=DECODER, discriminator=(SHAPE, SCORE), first="tanh", second=None):
    return {
        "generator": generator and dense_network(*generator, activation=first),
        "discriminator": discriminator and dense_network(*discriminator, activation=second),
    }


REFUSED = {
    "no decoder": (AE, lambda: coders(decoder=None), "Got decoder=None; give Keras models as"),
    "no encoder": (VAE, lambda: coders(encoder=None), "Got encoder=None; give Keras models as"),
    "no generator": (DCGAN, lambda: players(generator=None), "Got generator=None; give Keras"),
    "no critic": (WGAN, lambda: players(discriminator=None), "Got discriminator=None; give Keras"),
    "a function": (AE, lambda: coders() | {"decoder": len}, "give Keras models as encoder and"),
    "codes of another size": (
        AE,
        lambda: coders(decoder=((4,), IMAGES)),
        r"The decoder takes \(N, 4\); expected \(N, 3\)",
    ),
    "images of another size": (
        AE,
        lambda: coders(decoder=(CODE, (8, 8, 1))),
        r"The decoder gives \(N, 8, 8, 1\); expected logits, \(N, 8, 12, 1\)",
    ),
    "colour": (
        AE,
        lambda: coders(encoder=((8, 12, 3), CODE)),
        r"The encoder takes \(N, 8, 12, 3\); expected \(N, 8, 12, 1\)",
    ),
    "a flat map": (
        AE,
        lambda: coders(encoder=(SHAPE, (4, 6))),
        r"The encoder gives \(N, 4, 6\); expected one code",
    ),
    "a mean alone": (VAE, coders, r"The encoder gives \(N, 3\); expected z_mean and z_log_var"),
    "two codes": (
        AE,
        lambda: coders(encoder=(SHAPE, CODE, CODE)),
        r"The encoder gives \(N, 3\) and \(N, 3\); expected one code",
    ),
    "a sigmoid": (
        AE,
        lambda: coders(last="sigmoid"),
        "The decoder ends in sigmoid; expected logits: change its last layer",
    ),
    "a convolution's sigmoid": (AE, lambda: convolutional("sigmoid"), "ends in sigmoid"),
    "the generator's sigmoid": (
        DCGAN,
        lambda: players(first="sigmoid"),
        r"The generator ends in sigmoid; expected images in \[-1, 1\]",
    ),
    "the discriminator's sigmoid": (
        DCGAN,
        lambda: players(second="sigmoid"),
        "The discriminator ends in sigmoid; expected one unbounded score an image",
    ),
    "two scores": (
        WGAN,
        lambda: players(discriminator=(SHAPE, (2,))),
        r"The discriminator gives \(N, 2\); expected one unbounded score an image, \(N, 1\)",
    ),
    "packs": (
        DCGAN,
        lambda: players() | {"pack": 2},
        r"The discriminator takes \(N, 8, 12, 1\); expected \(N, 8, 12, 2\)",
    ),
    "another z": (
        DCGAN,
        lambda: players() | {"latent_dim": 4},
        r"The generator takes \(N, 3\); expected z, \(N, 4\)",
    ),
    "a latent_dim": (
        AE,
        lambda: coders() | {"latent_dim": 3},
        "Got latent_dim=3 beside your own encoder and decoder: leave it out",
    ),
    "widths": (VAE, lambda: coders() | {"widths": (8,)}, r"Got widths=\(8,\) beside your own"),
    "networks": (
        DCGAN,
        lambda: players() | {"networks": "paper"},
        "Got networks='paper' beside your own generator and discriminator: leave it out",
    ),
    "a width": (WGAN, lambda: players() | {"width": 0.5}, "Got width=0.5 beside your own"),
    "what no file brings back": (
        AE,
        lambda: coders() | {"decoder": Unregistered(SHAPE)},
        "The decoder could not be loaded from a file",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_networks_are_refused_in_one_sentence(case):
    kind, options, message = REFUSED[case]
    with pytest.raises(InputError, match=message) as caught:
        kind(SHAPE, **options())
    assert "\n" not in str(caught.value)
