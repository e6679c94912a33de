"""Polynomial images: they are polynomials, of the degrees and coefficients they say."""

import time

import numpy as np
import pytest

from common.datasets import PolynomialData
from common.datasets.polynomials import exponents, monomials
from common.errors import InputError


@pytest.fixture(scope="module")
def data():
    return PolynomialData(num_images=3000, seed=7)


def flat(images):
    return images.reshape(len(images), -1).astype(float)


def residual(images, basis):
    """What least squares on the columns of `basis` leaves of each image's variance."""
    images = flat(images)
    fit = basis @ np.linalg.lstsq(basis, images.T, rcond=None)[0]
    return (images - fit.T).var(axis=1)


def test_monomials_are_those_of_the_formula():
    assert exponents(2).tolist() == [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]]
    assert exponents(5).shape == (21, 2)
    basis = monomials(4, 3)
    assert basis.shape == (16, 10)
    column, row = 3, 2
    for value, (i, j) in zip(basis[row * 4 + column], exponents(3), strict=True):
        assert value == pytest.approx((column / 4) ** i * (row / 4) ** j)


def test_shapes_types_and_range(data):
    assert data.x_train.shape == (3000, 40, 40, 1) and data.x_train.dtype == np.float32
    assert data.x_test.shape == (300, 40, 40, 1)
    assert data.coefficients.shape == (3000, 21) and data.degrees.dtype == np.int64
    assert data.num_classes == 6 and data.y_train is data.degrees
    varied = data.degrees > 0
    assert (data.x_train[varied].min(axis=(1, 2)) == 0).all()
    assert (data.x_train[varied].max(axis=(1, 2)) == 1).all()
    assert (data.x_train[~varied] == 0.5).all()


def test_images_are_the_scaled_polynomials_of_their_coefficients(data):
    values = data.coefficients @ monomials(40, 5).T
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    varied = data.degrees > 0
    expected = ((values - low) / np.where(high > low, high - low, 1))[varied]
    np.testing.assert_allclose(flat(data.x_train[varied]), expected, atol=1e-5)


def test_each_image_is_exactly_a_polynomial_of_its_degree(data):
    for degree in range(1, 6):
        images = data.x_train[data.degrees == degree][:200]
        assert residual(images, monomials(40, degree)).max() < 1e-11
        # Low degrees already come close to smooth images: the excess is small, yet no rounding.
        assert np.median(residual(images, monomials(40, degree - 1))) > 1e-7


def test_degrees_are_uniform_to_the_maximum_and_coefficients_standard_normal(data):
    counts = np.bincount(data.degrees, minlength=6)
    assert len(counts) == 6 and (abs(counts - 500) < 5 * np.sqrt(500)).all()
    powers = exponents(5).sum(axis=1)
    assert not data.coefficients[powers > data.degrees[:, None]].any()
    drawn = data.coefficients[powers <= data.degrees[:, None]]
    assert abs(drawn.mean()) < 0.03 and abs(drawn.std() - 1) < 0.03


def test_seed_decides_and_the_number_does_not(data):
    fewer = PolynomialData(num_images=100, seed=7)
    np.testing.assert_array_equal(fewer.degrees, data.degrees[:100])
    np.testing.assert_allclose(fewer.x_train, data.x_train[:100], atol=1e-6)
    other = PolynomialData(num_images=100, seed=8)
    assert not np.allclose(other.x_train, fewer.x_train)
    assert not np.allclose(fewer.x_test, fewer.x_train[:10])


def test_coefficients_follow_the_options(data):
    part = PolynomialData(
        num_images=3000, seed=7, data_fraction=0.5, drop_class=0, validation_fraction=0.2
    )
    rows = np.flatnonzero(data.degrees[:1500])
    kept = rows[: len(rows) - round(len(rows) * 0.2)]
    np.testing.assert_array_equal(part.coefficients, data.coefficients[kept])
    np.testing.assert_array_equal(part.x_train, data.x_train[kept])
    np.testing.assert_array_equal(part.degrees, data.degrees[kept])


def test_other_sizes_and_degrees():
    flat_ones = PolynomialData(num_images=3, max_degree=0, size=8)
    assert (flat_ones.x_train == 0.5).all() and flat_ones.coefficients.shape == (3, 1)
    data = PolynomialData(num_images=200, max_degree=2, size=28)
    assert data.image_shape == (28, 28, 1) and set(data.degrees) == {0, 1, 2}


@pytest.mark.parametrize("num_images", [1, 9, 10, 11, 109, 110, 250])
def test_saved_file_gives_the_same_split(tmp_path, num_images):
    data = PolynomialData(num_images=num_images, size=8)
    data.save(tmp_path / "polydata.npy")
    same = PolynomialData.load(tmp_path / "polydata.npy", size=8)
    np.testing.assert_array_equal(same.x_train, data.x_train)
    np.testing.assert_array_equal(same.x_test, data.x_test)
    assert same.y_train is None and same.coefficients is None and same.num_classes is None


@pytest.mark.parametrize("shape", [(22, 40, 40), (22, 40, 40, 1), (22, 1600)])
def test_old_files_of_any_scaling_are_rescaled(tmp_path, shape):
    data = PolynomialData(num_images=20)
    images = np.concatenate([data.x_train, data.x_test]).astype(float)
    np.save(tmp_path / "polydata.npy", (300 * images - 150).reshape(shape))
    loaded = PolynomialData(data_dir=tmp_path)
    np.testing.assert_allclose(loaded.x_train, data.x_train, atol=1e-6)
    np.testing.assert_allclose(loaded.x_test, data.x_test, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((22, 28, 28)), r"holds float64 \(22, 28, 28\); expected .*\(N, 40, 40\)"),
        (np.zeros((22, 40, 40, 3)), r"\(22, 40, 40, 3\); expected"),
        (np.zeros(1600), "expected numbers of shape"),
        (np.zeros((22, 1600), complex), "expected numbers of shape"),
        (np.zeros((1, 1600)), "at least two images"),
        (np.full((22, 1600), np.nan), "finite values"),
        (np.full((22, 1600), 1e39), "finite values within ±1e"),
        (np.array([{}]), "cannot be used"),
    ],
)
def test_files_that_do_not_fit(tmp_path, array, message):
    np.save(tmp_path / "polydata.npy", array)
    with pytest.raises(InputError, match=rf"polydata\.npy.*{message}"):
        PolynomialData.load(tmp_path / "polydata.npy")


def test_missing_and_foreign_files(tmp_path):
    with pytest.raises(InputError, match=r"no file .*polydata\.npy"):
        PolynomialData(data_dir=tmp_path)
    (tmp_path / "polydata.npy").write_text("not an array")
    with pytest.raises(InputError, match="cannot be used"):
        PolynomialData(data_dir=tmp_path)


@pytest.mark.parametrize(
    "option",
    [{"num_images": 0}, {"num_images": 2.5}, {"max_degree": -1}, {"size": 1}, {"seed": -1}],
)
def test_bad_options(option):
    name, value = next(iter(option.items()))
    with pytest.raises(InputError, match=f"{name}={value}; expected a whole number of at least"):
        PolynomialData(**option)


def test_twenty_thousand_images_are_quick():
    def seconds():
        start = time.perf_counter()
        PolynomialData()
        return time.perf_counter() - start

    # Takes 0.4 s; the bound is wider because test machines are shared.
    assert min(seconds() for _ in range(3)) < 2
