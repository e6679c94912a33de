"""Tiny models of every kind and images to teach them: the table that the contract goes through."""

import keras
import numpy as np
from keras import layers, ops

from common.models import AE, DCGAN, LSGAN, VAE, WGAN, ImageClassifier
from common.models.gan import GAN

CLASSES = 3


def ae(**options):
    return AE((12, 16, 3), 3, widths=(24, 16), likelihood="gaussian", seed=1, **options)


def ae_classifier(**options):
    return AE((8, 8, 1), num_classes=CLASSES, widths=(16,), input_noise=0.1, seed=1, **options)


def vae(**options):
    return VAE((12, 16, 3), 3, widths=(24, 16), beta=0.5, seed=1, **options)


def vae_classifier(**options):
    options = {"num_classes": CLASSES, "likelihood": "optimal_gaussian", **options}
    return VAE((8, 8, 1), widths=(16,), seed=1, **options)


def dcgan(**options):
    return DCGAN(
        (8, 8, 1), 4, networks="mnist", width=1 / 32, label_smoothing=0.1, seed=1, **options
    )


def lsgan(**options):
    return LSGAN((12, 16, 3), 4, width=1 / 16, ema_momentum=0.9, seed=1, **options)


def wgan(**options):
    options = {"networks": "smooth_critic", "width": 1 / 16, **options}
    return WGAN((12, 16, 1), 4, n_critic=2, clip_value=0.1, seed=1, **options)


def pacgan(**options):
    # Batches of 8 and 16 leave a pack to fill.
    return DCGAN((8, 8, 1), 4, width=1 / 32, pack=3, seed=1, **options)


def conv_ae(**options):
    return AE((10, 13, 3), 3, networks="strided", widths=(4, 6), seed=1, **options)


def conv_vae_map(**options):
    # 8×10 pixels make a code of 2×3 places.
    return VAE(
        (8, 10, 1), 2, num_classes=CLASSES, networks="conv_map", widths=(4, 6), seed=1, **options
    )


def photo_gan(**options):
    return DCGAN((16, 24, 3), 4, networks="paper", width=1 / 16, seed=1, **options)


def classifier(**options):
    return ImageClassifier((12, 16, 1), CLASSES, shift=1, width=1 / 8, seed=1, **options)


@keras.saving.register_keras_serializable("tests")
class HingeGAN(GAN):
    """A variant of one's own (Lim & Ye 2017), as CONTRIBUTING.md has it."""

    score_kind = "score"

    def discriminator_loss(self, real, fake):
        return ops.relu(1.0 - real) + ops.relu(1.0 + fake)

    def generator_loss(self, fake):
        return -fake


def dense_network(input_shape, *outputs, activation=None, name=None):
    """A network of one's own: one hidden layer, and an output of each of these shapes."""
    inputs = keras.Input(input_shape)
    h = layers.Dense(24, activation="relu")(layers.Flatten()(inputs))
    found = [
        layers.Reshape(shape, dtype="float32")(
            layers.Dense(int(np.prod(shape)), activation=activation, dtype="float32")(h)
        )
        for shape in outputs
    ]
    return keras.Model(inputs, found if len(found) > 1 else found[0], name=name)


def hinge(**options):
    """A class and networks of one's own."""
    shape = (8, 12, 1)
    networks = {
        "generator": dense_network((4,), shape, activation="tanh"),
        "discriminator": dense_network(shape, (1,)),
    }
    return HingeGAN(shape, **networks, ema_momentum=0.9, seed=1, **options)


def own_vae(**options):
    shape = (8, 8, 1)
    networks = {
        "encoder": dense_network(shape, (3,), (3,)),
        "decoder": dense_network((3,), shape),
    }
    return VAE(shape, num_classes=CLASSES, **networks, seed=1, **options)


MODELS = {
    make.__name__: make
    for make in (
        ae, ae_classifier, conv_ae, vae, vae_classifier, conv_vae_map,
        dcgan, lsgan, wgan, pacgan, photo_gan, classifier, hinge, own_vae,
    )
}  # fmt: skip
GANS = ("dcgan", "lsgan", "wgan", "pacgan", "photo_gan", "hinge")


def images_of(shape, count=48, seed=0):
    """A bright band on a dark ground, lower for a higher class: uint8 images and integer labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % CLASSES
    rows = np.arange(shape[0]) * CLASSES // shape[0]
    bands = np.where(rows == labels[:, None], 200, 20)[:, :, None, None]
    return (bands + rng.integers(0, 50, (count, *shape))).astype("uint8"), labels.astype("uint8")


def lesson(model, count=48):
    """What `fit` and `evaluate` take for this model: images, and labels where it has a use."""
    images, labels = images_of(model.image_shape, count)
    return (images, labels) if model.num_classes else (images,)


def side_by_side(images, pack):
    """Packs by NumPy alone, image after image and channel after channel."""
    packs = []
    for start in range(0, len(images), pack):
        members = [images[k % len(images)] for k in range(start, start + pack)]
        packs.append(np.concatenate(members, axis=-1))
    return np.stack(packs)


# Step by step, and without XLA where TensorFlow would take longer to compile than a test to run.
QUICK = {
    "tensorflow": {"jit_compile": False, "steps_per_execution": 1},
    "jax": {"jit_compile": "auto", "steps_per_execution": 1},
    "torch": {},
}[keras.backend.backend()]


def values_of(variables):
    """Copies of the variables' values."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def state_of(optimizer):
    """Copies of all of an optimizer's values: step counts, learning rates, slots."""
    store = {}
    optimizer.save_own_variables(store)
    return [np.array(store[key]) for key in sorted(store)]


def learners(model):
    """The variables that a step moves: a critic's last bias cancels in f(G(z)) − f(x)."""
    idle = [model.critic.layers[-1].bias] if isinstance(model, WGAN) else []
    return [v for v in model.trainable_variables if not any(v is i for i in idle)]


def differ(before, after):
    """Which of two lists' arrays differ."""
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
