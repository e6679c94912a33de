"""The networks for smooth grey values, against closed forms."""

import keras
import numpy as np
import pytest
from keras import ops

from common.evaluation.polynomials import outside_span
from common.networks.smooth import FullRange, Planes, Spline, smooth, smooth_critic

SHAPE = (24, 24, 1)


def test_planes_rise_by_their_slopes():
    slopes = np.array([[[1.0, 0.0], [0.0, 2.0]]], "float32")  # one image, (down, along), 2 channels
    planes = ops.convert_to_numpy(Planes((3, 5))(slopes))
    assert planes.shape == (1, 3, 5, 2)
    np.testing.assert_allclose(planes[0, :, :, 0], [[-1] * 5, [0] * 5, [1] * 5])
    np.testing.assert_allclose(planes[0, :, :, 1], [[-2, -1, 0, 1, 2]] * 3)


def test_a_spline_reproduces_cubics_and_sums_to_one():
    spline = Spline((40, 28))
    assert spline.points == (13, 10)
    ones = ops.convert_to_numpy(spline(np.ones((1, 13, 10, 1), "float32")))
    np.testing.assert_allclose(ones, np.ones((1, 40, 28, 1)), atol=1e-6)
    # Marsden's identity: these control points of a uniform cubic spline make x³.
    k = np.arange(-1, 12, dtype="float32")
    points = np.broadcast_to((k**3 - k)[None, :, None, None], (1, 13, 10, 1)).astype("float32")
    x = (np.arange(40) + 0.5) / 4
    made = ops.convert_to_numpy(spline(points))[0, :, :, 0]
    np.testing.assert_allclose(made, np.tile(x[:, None] ** 3, 28), rtol=1e-4, atol=1e-4)


def test_full_range_stretches_what_has_contrast():
    rng = np.random.default_rng(0)
    images = rng.normal(3, 2, (4, *SHAPE)).astype("float32")
    images[0] = 7 + 0.001 * images[0] / np.ptp(images[0])
    stretched = ops.convert_to_numpy(FullRange()(images))
    np.testing.assert_allclose(stretched[1:].min(axis=(1, 2, 3)), -1, atol=1e-6)
    np.testing.assert_allclose(stretched[1:].max(axis=(1, 2, 3)), 1, atol=1e-6)
    assert np.ptp(stretched[0]) == pytest.approx(0.1, rel=0.01)
    shape = images[2] - images[2].mean()
    np.testing.assert_allclose(np.corrcoef(shape.ravel(), stretched[2].ravel())[0, 1], 1, atol=1e-6)


@pytest.mark.parametrize("networks", [smooth, smooth_critic])
def test_with_its_gate_shut_the_generator_draws_planes(networks):
    keras.utils.set_random_seed(0)
    generator, _ = networks(SHAPE, 4, 1 / 8)
    z = np.random.default_rng(0).standard_normal((16, 4), "float32")
    curved = ops.convert_to_numpy(generator(z, training=False))
    assert outside_span(curved, max_degree=1).min() > 1e-6

    (gate,) = [layer for layer in generator.layers if layer.name == "curvature_gate"]
    gate.bias.assign([-100.0])
    flat = ops.convert_to_numpy(generator(z, training=False))
    assert outside_span(flat, max_degree=1).max() < 1e-10
    assert np.ptp(flat, axis=(1, 2, 3)).min() > 1
