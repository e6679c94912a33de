import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.polynomials import (
    exponents,
    monomials,
    outside_span,
    polynomial_report,
    shape_coordinates,
)

SIZE = 12


def polynomial_images(count, degree=5, seed=0):
    """Polynomials that all have `degree`, unscaled."""
    coefficients = np.random.default_rng(seed).normal(size=(count, len(exponents(degree))))
    images = coefficients @ monomials(SIZE, degree).T
    return images.reshape(count, SIZE, SIZE, 1)


def noise_images(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, SIZE, SIZE, 1))


def test_polynomials_of_any_scale_and_dtype_lie_in_the_span():
    images = polynomial_images(20)
    assert outside_span(images).max() < 1e-12
    assert outside_span((7 - 100 * images).astype("float32")).max() < 1e-10
    bytes_ = (255 * (images - images.min()) / np.ptp(images)).round().astype("uint8")
    assert outside_span(bytes_).max() < 1e-2


def test_a_degree_too_low_leaves_the_share_of_the_higher_terms():
    images = polynomial_images(20)
    plane = monomials(SIZE, 1)
    pixels = images.reshape(20, -1).T
    residual = pixels - plane @ np.linalg.lstsq(plane, pixels)[0]
    np.testing.assert_allclose(
        outside_span(images, max_degree=1), residual.var(axis=0) / pixels.var(axis=0)
    )


def test_white_noise_is_outside_but_for_its_degrees_of_freedom():
    expected = 1 - 20 / (SIZE**2 - 1)
    assert outside_span(noise_images(2000)).mean() == pytest.approx(expected, abs=0.003)


def test_a_constant_image_has_no_variance_outside():
    constants = np.full((2, SIZE, SIZE, 1), 0.3, "float32")
    assert outside_span(constants).tolist() == [0, 0]
    assert not shape_coordinates(constants).any()


def test_distance_of_shapes_is_that_of_the_normalised_images():
    images = polynomial_images(2)
    first, second = (image - image.mean() for image in images)
    expected = np.sqrt(np.mean((first / first.std() - second / second.std()) ** 2))
    shapes = shape_coordinates(images)
    assert np.linalg.norm(shapes[0] - shapes[1]) == pytest.approx(expected)


def test_shapes_ignore_brightness_and_contrast_and_tell_noise_by_its_length():
    images = polynomial_images(4) + 0.2 * noise_images(4)
    shapes = shape_coordinates(images)
    np.testing.assert_allclose(shape_coordinates(0.1 * images + 5), shapes, atol=1e-9)
    np.testing.assert_allclose((shapes**2).sum(axis=1), 1 - outside_span(images))


def test_report_of_a_perfect_sampler_reaches_the_ceiling():
    real, generated = polynomial_images(1200, 2), polynomial_images(600, 2, seed=1)
    # A fifth of each without contrast, as degree 0 gives.
    real[::5], generated[::5] = 0.5, 0.5
    report = polynomial_report(real, generated)
    assert (report["samples"], report["reference"]) == (600, 960)
    assert (report["k"], report["coverage_ceiling"] > 0.95) == (8, True)
    assert report["coverage"] == pytest.approx(report["coverage_ceiling"], abs=0.03)
    assert report["density"] == pytest.approx(0.8, abs=0.08)
    assert report["outside_span_p90"] < 1e-12


def test_report_tells_noise_from_polynomials():
    report = polynomial_report(polynomial_images(300), noise_images(200))
    assert report["coverage"] < 0.05
    assert report["density"] < 0.1
    assert report["outside_span_median"] == np.median(outside_span(noise_images(200)))


@pytest.mark.parametrize("shape", [(3, 8, 8), (3, 8, 9, 1), (3, 8, 8, 3), (0, 8, 8, 1)])
def test_images_of_another_kind_are_refused(shape):
    with pytest.raises(InputError):
        outside_span(np.zeros(shape))


def test_a_degree_that_the_grid_cannot_tell_apart_is_refused():
    with pytest.raises(InputError, match="max_degree=5"):
        outside_span(np.zeros((1, 5, 5, 1)))


def test_pixels_that_are_not_finite_and_other_sizes_are_refused():
    with pytest.raises(InputError, match="NaN or infinite"):
        outside_span(np.full((1, 8, 8, 1), np.inf))
    with pytest.raises(InputError, match="same size"):
        polynomial_report(np.zeros((9, 8, 8, 1)), np.zeros((9, 7, 7, 1)))
