"""Stacked digits: three independent digits in one image, put together when read."""

import numpy as np
import pytest

from common.datasets import DigitsData, PolynomialData, StackedImages, StackedMNISTData
from common.errors import InputError


@pytest.fixture(scope="module")
def digits():
    return DigitsData()


@pytest.fixture(scope="module")
def data(digits):
    return StackedMNISTData(num_images=5000, num_test=500, source=digits)


def figures(labels):
    """The digit in each channel, (N, 3), that labels 0 … 999 stand for."""
    return np.stack([labels // 10**channel % 10 for channel in range(3)], axis=-1)


def test_shapes_and_types(data):
    assert data.x_train.shape == (5000, 28, 28, 3) and len(data.x_train) == 5000
    assert data.x_train.dtype == np.uint8 and data.x_train.ndim == 4
    assert data.x_test.shape == (500, 28, 28, 3)
    assert data.y_train.shape == (5000,) and data.y_train.dtype == np.int64
    assert data.image_shape == (28, 28, 3) and data.num_classes == 1000
    assert data.class_names[42] == "042"


def test_every_channel_shows_the_digit_of_the_label(data, digits):
    for images, labels, mono, mono_labels in [
        (data.x_train, data.y_train, digits.x_train, digits.y_train),
        (data.x_test, data.y_test, digits.x_test, digits.y_test),
    ]:
        keys = [image.tobytes() for image in mono]
        known = dict(zip(keys, mono_labels, strict=True))
        for image, triple in zip(images[:200], figures(labels[:200]), strict=True):
            shown = [known[np.ascontiguousarray(image[..., c]).tobytes()] for c in range(3)]
            assert shown == triple.tolist()


def test_channels_are_independent_and_uniform(data):
    triples = figures(data.y_train)
    for channel in range(3):
        counts = np.bincount(triples[:, channel], minlength=10)
        assert (abs(counts - 500) < 6 * np.sqrt(500)).all()
    assert abs(np.corrcoef(triples.T) - np.eye(3)).max() < 0.06
    assert len(np.unique(data.y_train)) > 960


def test_reads_like_an_array(data):
    images, whole = data.x_train, np.asarray(data.x_train)
    assert whole.shape == images.shape and whole.dtype == np.uint8
    np.testing.assert_array_equal(images[3], whole[3])
    np.testing.assert_array_equal(images[-1], whole[-1])
    np.testing.assert_array_equal(images[10:30:4], whole[10:30:4])
    rows = np.array([4999, 0, 7, 7])
    np.testing.assert_array_equal(images[rows], whole[rows])
    np.testing.assert_array_equal(images[rows.tolist()], whole[rows])
    np.testing.assert_array_equal(images[data.y_train == 5], whole[data.y_train == 5])
    assert images[0:0].shape == (0, 28, 28, 3)
    assert np.asarray(images, dtype=np.float32).dtype == np.float32
    for index in [(0, 1), ..., None]:
        with pytest.raises(TypeError, match="by image alone"):
            images[index]
    with pytest.raises(IndexError):
        images[5000]
    with pytest.raises(TypeError):
        images[0] = 0
    with pytest.raises(ValueError, match="by a copy"):
        np.asarray(images, copy=False)


def test_a_million_images_need_no_memory_of_their_own(digits):
    data = StackedMNISTData(num_images=1_000_000, num_test=1, source=digits)
    assert data.x_train.shape == (1_000_000, 28, 28, 3)
    assert data.x_train.rows.nbytes + data.x_train.images.nbytes < 30e6
    assert len(np.unique(data.y_train)) == 1000


def test_seed_decides_and_the_number_does_not(data, digits):
    fewer = StackedMNISTData(num_images=50, num_test=20, source=digits)
    np.testing.assert_array_equal(fewer.x_train[:], data.x_train[:50])
    np.testing.assert_array_equal(fewer.y_test, data.y_test[:20])
    other = StackedMNISTData(num_images=50, num_test=20, source=digits, seed=1)
    assert not np.array_equal(other.y_train, fewer.y_train)


@pytest.mark.parametrize("binarize", [False, True])
@pytest.mark.parametrize("drop_class", [None, 8])
def test_the_four_data_modes(digits, binarize, drop_class):
    data = StackedMNISTData(
        num_images=1000,
        num_test=300,
        source=digits,
        binarize=binarize,
        drop_class=drop_class,
        validation_fraction=0.2,
    )
    assert len(data.x_train) == 800 and len(data.x_valid) == len(data.y_valid) == 200
    for images in (data.x_train, data.x_valid, data.x_test):
        assert (set(np.unique(images[:])) == {0, 255}) == binarize
    trained = np.concatenate([data.y_train, data.y_valid])
    assert (8 in figures(trained)) == (drop_class is None)
    assert 8 in figures(data.y_test)
    # Validation triples are made of digits that training does not see.
    seen = {image.tobytes() for image in data.x_train.images}
    new = [image.tobytes() not in seen for image in data.x_valid.images]
    assert np.mean(new) > 0.99


def test_options_of_the_source_hold():
    data = StackedMNISTData(
        num_images=500, num_test=100, source=DigitsData(drop_class=3, binarize=True)
    )
    assert 3 not in figures(data.y_train) and set(np.unique(data.x_train[:])) == {0, 255}


def test_fraction_scales_digits_and_triples(digits):
    data = StackedMNISTData(num_images=5000, num_test=500, source=digits, data_fraction=0.1)
    assert len(data.x_train) == 500 and len(data.x_test) == 50
    np.testing.assert_array_equal(data.x_train.images, digits.x_train[:144])


def test_mnist_is_the_default_source(tmp_path):
    images = np.arange(20 * 784, dtype=np.uint8).reshape(20, 28, 28)
    labels = np.arange(20) % 10
    arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
    np.savez(tmp_path / "mnist.npz", **arrays)
    data = StackedMNISTData(data_dir=tmp_path)
    assert data.x_train.shape == (128_000, 28, 28, 3) and len(data.x_test) == 10_000
    with pytest.raises(InputError, match=r"nowhere/mnist\.npz"):
        StackedMNISTData(data_dir=tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_images": 0}, "num_images=0; expected a whole number of at least 1"),
        ({"num_test": 0}, "num_test=0; expected a whole number of at least 1"),
        ({"seed": -1}, "seed=-1; expected a whole number of at least 0"),
        ({"drop_class": 10}, "Class 10 cannot be left out: digits has"),
        ({"data_dir": "."}, "give data_dir= to that dataset"),
        ({"num_images": 4, "data_fraction": 0.1}, "num_images=4 .* too few for data_fraction=0.1"),
        ({"num_images": 4, "validation_fraction": 0.1}, "too few"),
        ({"num_images": 10**15}, r"Stacking needs [\d,]+ MB of memory, .*: lower num_images"),
        ({"num_test": 10**400}, r"Stacking needs [\d,]+ MB of memory"),
    ],
)
def test_bad_options(digits, options, message):
    with pytest.raises(InputError, match=message):
        StackedMNISTData(source=digits, **options)


def test_sources_that_cannot_be_stacked(data):
    with pytest.raises(InputError, match="stacked has 1000 classes and 3 channels"):
        StackedMNISTData(source=data)
    with pytest.raises(InputError, match="polynomials has 6 classes and 1 channels"):
        StackedMNISTData(source=PolynomialData(num_images=10))


def test_classes_that_anomalies_are_of(data):
    assert data.shown_classes().tolist() == figures(data.y_test).tolist()
    assert data.separable_classes == range(10)
    assert data.least_samples == 6_905 and data.usual_samples == 26_000


def test_stacking_by_hand():
    images = np.array([10, 20, 30], np.uint8).reshape(3, 1, 1, 1)
    stacked = StackedImages(images, np.array([[0, 1, 2], [2, 2, 0]]))
    assert np.asarray(stacked).tolist() == [[[[10, 20, 30]]], [[[30, 30, 10]]]]
