"""Polynomial images: they are polynomials, of the degrees and coefficients they say."""

import time

import numpy as np
import pytest

from common.datasets import PolynomialData
from common.datasets.polynomials import draw_coefficients
from common.errors import InputError
from common.evaluation.polynomials import exponents, monomials, polynomial_report


@pytest.fixture(scope="module")
def data():
    return PolynomialData(num_images=3000, seed=7)


@pytest.fixture(scope="module")
def coefficients():
    """Those of the training images."""
    streams = np.random.SeedSequence(7).spawn(4)
    return draw_coefficients(3000, 5, streams[:2])[0]


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


def test_shapes_types_and_range(data, coefficients):
    assert data.x_train.shape == (3000, 40, 40, 1) and data.x_train.dtype == np.float32
    assert data.x_test.shape == (300, 40, 40, 1)
    assert coefficients.shape == (3000, 21) and data.y_train.dtype == np.int64
    assert data.num_classes == 6 and data.class_names[2] == "degree 2"
    varied = data.y_train > 0
    assert (data.x_train[varied].min(axis=(1, 2)) == 0).all()
    assert (data.x_train[varied].max(axis=(1, 2)) == 1).all()
    assert (data.x_train[~varied] == 0.5).all()


def test_images_are_the_scaled_polynomials_of_their_coefficients(data, coefficients):
    values = coefficients @ monomials(40, 5).T
    low, high = values.min(axis=1, keepdims=True), values.max(axis=1, keepdims=True)
    varied = data.y_train > 0
    expected = ((values - low) / np.where(high > low, high - low, 1))[varied]
    np.testing.assert_allclose(flat(data.x_train[varied]), expected, atol=1e-5)


def test_each_image_is_exactly_a_polynomial_of_its_degree(data):
    for degree in range(1, 6):
        images = data.x_train[data.y_train == degree][:200]
        assert residual(images, monomials(40, degree)).max() < 1e-11
        # Low degrees already come close to smooth images: the excess is small, yet no rounding.
        assert np.median(residual(images, monomials(40, degree - 1))) > 1e-7


def test_degrees_are_uniform_to_the_maximum_and_coefficients_standard_normal(data, coefficients):
    counts = np.bincount(data.y_train, minlength=6)
    assert len(counts) == 6 and (abs(counts - 500) < 5 * np.sqrt(500)).all()
    powers = exponents(5).sum(axis=1)
    assert not coefficients[powers > data.y_train[:, None]].any()
    drawn = coefficients[powers <= data.y_train[:, None]]
    assert abs(drawn.mean()) < 0.03 and abs(drawn.std() - 1) < 0.03


def test_seed_decides_and_the_number_does_not(data):
    fewer = PolynomialData(num_images=100, seed=7)
    np.testing.assert_array_equal(fewer.y_train, data.y_train[:100])
    np.testing.assert_allclose(fewer.x_train, data.x_train[:100], atol=1e-6)
    other = PolynomialData(num_images=100, seed=8)
    assert not np.allclose(other.x_train, fewer.x_train)
    assert not np.allclose(fewer.x_test, fewer.x_train[:10])


def test_common_options(data):
    part = PolynomialData(
        num_images=3000, seed=7, data_fraction=0.5, drop_class=0, validation_fraction=0.2
    )
    rows = np.flatnonzero(data.y_train[:1500])
    kept = rows[: len(rows) - round(len(rows) * 0.2)]
    np.testing.assert_array_equal(part.x_train, data.x_train[kept])
    np.testing.assert_array_equal(part.y_train, data.y_train[kept])


def test_other_sizes_and_degrees():
    flat_ones = PolynomialData(num_images=3, max_degree=0, size=8)
    assert (flat_ones.x_train == 0.5).all() and flat_ones.num_classes == 1
    data = PolynomialData(num_images=200, max_degree=2, size=28)
    assert data.image_shape == (28, 28, 1) and set(data.y_train) == {0, 1, 2}


@pytest.mark.parametrize(
    "option",
    [{"num_images": 0}, {"num_images": 2.5}, {"max_degree": -1}, {"size": 1}, {"seed": -1}],
)
def test_bad_options(option):
    name, value = next(iter(option.items()))
    with pytest.raises(InputError, match=f"{name}={value}; expected a whole number of at least"):
        PolynomialData(**option)


@pytest.mark.parametrize(
    "options", [{"size": 99_999}, {"num_images": 10**15}, {"max_degree": 10**6}, {"size": 10**200}]
)
def test_what_cannot_fit_is_refused_at_once(options):
    with pytest.raises(InputError, match=r"needs [\d,]+ MB of memory, .*: lower num_images, size"):
        PolynomialData(**options)


def test_twenty_thousand_images_are_quick():
    def seconds():
        start = time.perf_counter()
        PolynomialData()
        return time.perf_counter() - start

    # Takes 0.4 s; the bound is wider because test machines are shared.
    assert any(seconds() < 2 for _ in range(3))


def test_what_it_says_of_samples(data):
    few, perfect = PolynomialData(num_images=200), PolynomialData(num_images=100, seed=8).x_train
    report = few.report_samples(perfect)
    assert report == polynomial_report(few.x_train, perfect)
    assert report["outside_span_median"] < 1e-9 and report["samples"] == 100
    assert data.least_samples == 30 and data.usual_samples == 10_000
    assert PolynomialData(num_images=101).least_samples == 2
