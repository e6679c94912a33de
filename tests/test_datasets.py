"""The options every dataset shares, on a dataset small enough to check by hand."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

from common import datasets
from common.datasets import DigitsData, ImageData, MNISTData
from common.errors import InputError

PARTS = ("train", "test")


@dataclass(eq=False)
class Tiny(ImageData):
    """Ten training and five test images; image n is uniformly grey 25 n, its label n modulo 5."""

    labelled: bool = True

    name = "tiny"
    class_names = tuple("abcde")
    image_shape = (2, 3, 1)

    def read(self):
        images = np.full((10, 2, 3), 25, np.uint8) * np.arange(10, dtype=np.uint8)[:, None, None]
        labels = np.arange(10, dtype=np.uint8) % 5
        if not self.labelled:
            self.class_names = ()
            return (images, None), (images[:5], None)
        return (images, labels), (images[:5], labels[:5])


def test_arrays_and_their_facts():
    data = Tiny()
    assert data.x_train.shape == (10, 2, 3, 1) and data.x_train.dtype == np.uint8
    assert data.x_train[:, 1, 2, 0].tolist() == [25 * n for n in range(10)]
    assert data.y_train.dtype == np.int64 and data.y_train.tolist() == [0, 1, 2, 3, 4] * 2
    assert data.x_valid is None and data.y_valid is None
    assert data.image_shape == (2, 3, 1) and data.num_classes == 5


def test_fraction_keeps_the_first_part_of_both_splits():
    data = Tiny(data_fraction=0.4)
    assert data.x_train[:, 0, 0, 0].tolist() == [0, 25, 50, 75]
    assert data.y_test.tolist() == [0, 1]


def test_dropped_class_stays_in_the_test_set_only():
    data = Tiny(drop_class=3, validation_fraction=0.25)
    assert data.y_train.tolist() == [0, 1, 2, 4, 0, 1]
    assert data.y_valid.tolist() == [2, 4]
    assert data.y_test.tolist() == [0, 1, 2, 3, 4]
    assert data.num_classes == 5


def test_validation_is_the_end_of_training():
    data, whole = Tiny(validation_fraction=0.3), Tiny()
    np.testing.assert_array_equal(data.x_train, whole.x_train[:7])
    np.testing.assert_array_equal(data.x_valid, whole.x_train[7:])
    np.testing.assert_array_equal(data.y_valid, whole.y_train[7:])


def test_binarize_turns_127_black_and_128_white():
    class Threshold(Tiny):
        def read(self):
            images = np.array([0, 127, 128, 255], np.uint8).reshape(4, 1, 1) * np.ones(
                (2, 3), np.uint8
            )
            return (images, np.zeros(4, int)), (images, np.zeros(4, int))

    data = Threshold(binarize=True)
    assert data.x_train[:, 0, 0, 0].tolist() == [0, 0, 255, 255]
    assert data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(data.x_test, data.x_train)


def test_unlabelled_images():
    data = Tiny(labelled=False, validation_fraction=0.5)
    assert data.y_train is None and data.y_valid is None and data.num_classes is None
    assert len(data.x_valid) == 5
    with pytest.raises(InputError, match="Class 1 cannot be left out: tiny has no"):
        Tiny(labelled=False, drop_class=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_fraction": 0}, "data_fraction=0 is outside"),
        ({"data_fraction": 1.5}, "data_fraction=1.5 is outside"),
        ({"data_fraction": float("nan")}, "data_fraction=nan is outside"),
        ({"validation_fraction": 1}, "validation_fraction=1 is outside"),
        ({"validation_fraction": -0.1}, "validation_fraction=-0.1 is outside"),
        ({"drop_class": 5}, "Class 5 cannot be left out: tiny has 5"),
        ({"drop_class": -1}, "Class -1 cannot be left out"),
        ({"data_fraction": 0.01}, "leave no training images of 10"),
        ({"validation_fraction": 0.01}, "leave no validation images of 10"),
        ({"data_fraction": 0.06}, "leave no test images of 5"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        Tiny(**options)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((4, 3, 2), np.uint8), np.zeros(4, int), r"uint8 \(4, 3, 2\); expected uint8 \(N"),
        (np.zeros((4, 2, 3), float), np.zeros(4, int), "images are float64"),
        (np.zeros((0, 2, 3), np.uint8), np.zeros(0, int), "with N > 0"),
        (np.zeros((4, 2, 3), np.uint8), np.zeros(3, int), "one integer for each of 4 images"),
        (np.zeros((4, 2, 3), np.uint8), np.zeros(4), "labels are float64"),
        (np.zeros((4, 2, 3), np.uint8), np.arange(4) + 2, "labels go from 2 to 5; expected 0 to 4"),
    ],
)
def test_arrays_that_do_not_fit(images, labels, message):
    class Broken(Tiny):
        def read(self):
            return (images, labels), (images, labels)

    with pytest.raises(InputError, match=message):
        Broken()


def test_published_validation_images():
    class Published(Tiny):
        def read(self):
            train, test = super().read()
            return train, test, (train[0][6:], train[1][6:])

    data = Published(data_fraction=0.5, drop_class=2)
    assert data.y_train.tolist() == [0, 1, 3, 4] and data.y_valid.tolist() == [1]
    assert data.x_valid[:, 0, 0, 0].tolist() == [150]
    data = Published(validation_fraction=0.2)
    assert data.x_valid[:, 0, 0, 0].tolist() == [200, 225] and len(data.x_train) == 8


def test_what_it_says_of_itself():
    data, unlabelled = Tiny(drop_class=3), Tiny(labelled=False)
    assert data.shown_classes() is data.y_test and data.separable_classes == range(5)
    assert data.least_samples == 8 and unlabelled.least_samples == 1
    assert data.usual_samples is None and data.report_samples(data.x_test) == {}
    for ask in (unlabelled.shown_classes, lambda: unlabelled.separable_classes):
        with pytest.raises(InputError, match="tiny has no labels, so no class can be left out"):
            ask()


def test_digits_look_like_mnist():
    data, again = DigitsData(), DigitsData()
    assert data.x_train.shape == (1437, 28, 28, 1) and data.x_test.shape == (360, 28, 28, 1)
    np.testing.assert_array_equal(data.x_train, again.x_train)
    assert data.x_train.min() == 0 and data.x_train.max() == 255
    # Every class is there, in training and in test.
    assert np.bincount(data.y_train).min() >= 140 and np.bincount(data.y_test).min() >= 30
    # MNIST: nothing but black in the outer three pixels, 13 % white, few pixels in between.
    inner = np.zeros((28, 28), bool)
    inner[3:-3, 3:-3] = True
    assert not data.x_train[:, ~inner].any()
    assert 0.12 < (data.x_train > 127).mean() < 0.18
    assert ((data.x_train > 0) & (data.x_train < 255)).mean() < 0.2


def test_digits_keep_the_original_drawing():
    from sklearn.datasets import load_digits

    data = DigitsData()
    original = load_digits().images[:1437].reshape(1437, -1)
    shrunk = data.x_train[:, 4:24, 4:24, 0].reshape(1437, 4, 5, 4, 5).mean(axis=(2, 4))
    original = original.reshape(1437, 4, 2, 4, 2).mean(axis=(2, 4))
    for image, drawing in zip(shrunk[:50], original[:50], strict=True):
        assert np.corrcoef(image.ravel(), drawing.ravel())[0, 1] > 0.9


def test_names_of_datasets(tmp_path, monkeypatch):
    assert datasets.is_folder("./typo") and not datasets.is_folder("typo")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="no dataset 'folder'"):
        datasets.load("folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder and its subfolders hold no images"):
        datasets.load("folder")
    np.savez(
        "mnist.npz",
        **{f"x_{part}": np.zeros((2, 28, 28), np.uint8) for part in PARTS},
        **{f"y_{part}": np.zeros(2, int) for part in PARTS},
    )
    for name in ("mono", "mnist"):
        assert isinstance(datasets.load(name, data_dir="mnist.npz"), MNISTData)
    data = datasets.load("digits", data_fraction=0.1, drop_class=8)
    assert isinstance(data, DigitsData) and 8 not in data.y_train and 8 in data.y_test
    with pytest.raises(InputError, match="no dataset 'imagenet': choose one of mono, digits"):
        datasets.load("imagenet")
    with pytest.raises(InputError, match="digits has no option data_dir: it takes data_fraction"):
        datasets.load("digits", data_dir=".")


def test_import_is_light():
    heavy = "'keras', 'tensorflow', 'jax', 'torch', 'sklearn', 'matplotlib', 'PIL'"
    script = f"import sys, common.datasets; assert not {{{heavy}}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_sampled_pixels_are_white_as_often_as_their_grey_says():
    grey = DigitsData()
    data = DigitsData(binarize="sampled")
    draws = np.stack([data.x_train[:50] for _ in range(200)])
    assert draws.dtype == np.uint8 and set(np.unique(draws)) == {0, 255}
    share = (draws == 255).mean(axis=0)
    expected = grey.x_train[:50] / 255
    # Five standard deviations of the mean of 200 draws, and none at black and white.
    assert np.abs(share - expected).max() < 5 * np.sqrt(0.25 / 200)
    np.testing.assert_array_equal(share[expected == 0], 0)
    np.testing.assert_array_equal(share[expected == 1], 1)
    np.testing.assert_array_equal(data.x_test, DigitsData(binarize="sampled").x_test)
    first = np.asarray(DigitsData(binarize="sampled").x_train)
    np.testing.assert_array_equal(first, np.asarray(DigitsData(binarize="sampled").x_train))
    with pytest.raises(InputError, match="binarize='grey' is unknown"):
        DigitsData(binarize="grey")
