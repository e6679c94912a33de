"""The verification net: how it moves its images, and whose channels it classifies."""

import keras
import numpy as np
import pytest
from keras import ops
from tiny_models import classifier, images_of, lesson

from common.errors import InputError
from common.models import ImageClassifier

SHAPE = (9, 12, 1)


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


def moved(image, down, right):
    """An image (H, W, C) by NumPy alone, black where nothing of it is left."""
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for row in range(max(0, down), min(height, height + down)):
        for column in range(max(0, right), min(width, width + right)):
            result[row, column] = image[row - down, column - right]
    return result


@pytest.mark.parametrize("shift", [0, 1, 3])
def test_shifts_move_a_batch_by_the_drawn_pixels(shift):
    model = ImageClassifier(SHAPE, 3, shift=shift, width=1 / 32, seed=0)
    images = np.random.default_rng(0).uniform(0.1, 1, (3, *SHAPE)).astype("float32")
    steps = range(-shift, shift + 1)
    candidates = {
        (down, right): np.stack([moved(image, down, right) for image in images])
        for down in steps
        for right in steps
    }
    seen = set()
    for _ in range(8 * len(candidates)):
        found = as_numpy(model.shifted(ops.convert_to_tensor(images)))
        fitting = [step for step, image in candidates.items() if np.array_equal(image, found)]
        assert len(fitting) == 1
        seen.update(fitting)
    # A displacement is missed with a probability of 1/3000.
    assert len(seen) > 0.95 * len(candidates)


def test_shifts_follow_the_seed():
    images = ops.convert_to_tensor(images_of(SHAPE, 2)[0].astype("float32"))
    drawn = []
    for seed in (0, 0, 1):
        model = ImageClassifier(SHAPE, 3, width=1 / 32, seed=seed)
        drawn.append(np.stack([as_numpy(model.shifted(images)) for _ in range(6)]))
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_only_training_shifts(monkeypatch):
    shifted, seen = ImageClassifier.shifted, []

    def watch(self, images):
        seen.append(tuple(images.shape[1:]))
        return shifted(self, images)

    monkeypatch.setattr(ImageClassifier, "shifted", watch)
    model = classifier()
    model.compile(jit_compile=False)
    images, labels = lesson(model)
    model.evaluate(images, labels, verbose=0)
    model.classify(images)
    assert seen == []
    model.fit(images, labels, batch_size=24, verbose=0)
    assert set(seen) == {model.image_shape}


def test_the_metrics_are_those_of_its_beliefs():
    model = classifier()
    model.compile(jit_compile=False)
    images, labels = lesson(model, 21)
    found = model.evaluate(images, labels, batch_size=8, verbose=0)
    beliefs = model.classify(images).astype("float64")
    cross_entropy = -np.log(beliefs[np.arange(21), labels]).mean()
    assert found["loss"] == pytest.approx(cross_entropy, 1e-4)
    assert found["accuracy"] == pytest.approx((beliefs.argmax(axis=1) == labels).mean())
    np.testing.assert_allclose(as_numpy(model(images / np.float32(255))), beliefs, 1e-4, 1e-6)


@pytest.mark.parametrize(("channels", "kind"), [(2, "uint8"), (3, "float")])
def test_channels_are_classified_one_by_one(channels, kind):
    keras.utils.set_random_seed(0)
    model = classifier()
    height, width, _ = model.image_shape
    images, _ = images_of((height, width, channels), 5)
    if kind == "float":
        images = (images / 255).astype("float32")
    beliefs = model.classify(images, batch_size=4)
    assert beliefs.shape == (5, channels, 3) and beliefs.dtype == np.float32
    for channel in range(channels):
        single = model.classify(images[..., channel : channel + 1])
        assert single.shape == (5, 3)
        np.testing.assert_allclose(beliefs[:, channel], single, 1e-5, 1e-6)
    assert np.abs(beliefs[:, 0] - beliefs[:, 1]).max() > 1e-5


def test_lists_and_tensors_are_classified_as_arrays():
    model = classifier()
    images = images_of(model.image_shape, 3)[0] / np.float32(255)
    expected = model.classify(images)
    np.testing.assert_allclose(model.classify(ops.convert_to_tensor(images)), expected, 1e-6)
    np.testing.assert_allclose(model.classify(list(images)), expected, 1e-6)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 10, 12, 1), r"\(2, 10, 12, 1\); this model takes \(N, 12, 16, 1\)"),
        ((2, 10, 12, 3), r"\(2, 10, 12, 3\); this model takes \(N, 12, 16, 3\): .*resize"),
        ((2, 12, 16), r"add the channel axis with images\[\.\.\., None\]"),
        ((0, 12, 16, 1), "at least one"),
    ],
)
def test_images_that_it_cannot_classify(shape, message):
    with pytest.raises(InputError, match=message):
        classifier().classify(np.zeros(shape, "uint8"))


def test_it_learns_from_grey_images_alone():
    model = classifier()
    model.compile(jit_compile=False)
    images, labels = images_of((12, 16, 3), 8)
    for verb in (model.fit, model.evaluate):
        with pytest.raises(InputError, match=r"\(8, 12, 16, 3\); this model takes \(N, .*, 1\)"):
            verb(images, labels, verbose=0)
        with pytest.raises(InputError, match="3 classes and got no labels"):
            verb(images[..., :1], verbose=0)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((28, 28, 3), {}, "expected one channel .*channel by channel"),
        ((7, 28, 1), {}, "sides of at least 8"),
        ((28, 28, 1), {"num_classes": 1}, "num_classes=1; expected a whole number of at least 2"),
        ((28, 28, 1), {"num_classes": None}, "num_classes=None; expected a whole"),
        ((28, 28, 1), {"shift": -1}, "shift=-1; expected a whole number of at least 0"),
        ((28, 28, 1), {"shift": 1.5}, r"shift=1\.5"),
        ((28, 28, 1), {"networks": "resnet"}, "'resnet' are unknown; choose from"),
    ],
)
def test_arguments_that_cannot_be_used(shape, options, message):
    with pytest.raises(InputError, match=message):
        ImageClassifier(shape, **options)


@pytest.mark.parametrize(
    ("networks", "shapes"),
    [
        ("pooled", [(28, 28, 24), (14, 14, 64), (7, 7, 64)]),
        ("strided", [(28, 28, 32), (14, 14, 32), (14, 14, 64), (7, 7, 64)]),
    ],
)
def test_the_zoos_nets_have_these_stages(networks, shapes):
    model = ImageClassifier(networks=networks)
    convolutions = [x for x in model.network.layers if isinstance(x, keras.layers.Conv2D)]
    assert [tuple(x.output.shape[1:]) for x in convolutions] == shapes
    assert model.network.output.shape == (None, 10)


def test_features_are_the_means_of_the_last_maps_of_each_channel():
    net = ImageClassifier((8, 8, 1), 3, width=1 / 8, seed=0)
    images = np.random.default_rng(0).uniform(size=(5, 8, 8, 2)).astype("float32")
    maps = next(layer for layer in net.network.layers[::-1] if len(layer.output.shape) == 4)
    last = keras.Model(net.network.input, maps.output)
    expected = [as_numpy(last(images[..., c : c + 1])).mean(axis=(1, 2)) for c in range(2)]
    found = net.features(images, batch_size=3)
    np.testing.assert_allclose(found, np.concatenate(expected, axis=1), atol=1e-5)
    with pytest.raises(InputError, match="8, 8"):
        net.features(images[:, :7])
