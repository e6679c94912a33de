"""Classes can be told apart by colour or marker, also by readers with a colour deficiency."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from common import plots
from common.plots.style import MARKERS, PALETTE, class_markers

# Machado et al. (2009), severity 1, in linear RGB.
SEEN = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def lab(colours, seen):
    """CIE Lab of sRGB colours (N, 3) as someone with that vision sees them."""
    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = (linear @ seen.T).clip(0, 1) @ TO_XYZ.T / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], 1)


def distances(colours, seen):
    places = lab(colours, seen)
    return np.linalg.norm(places[:, None] - places, axis=-1)


def test_the_simulation_knows_white_and_confuses_red_with_green():
    np.testing.assert_allclose(lab(["white"], SEEN["normal"]), [[100, 0, 0]], atol=0.01)
    red_green = ["#d62728", "#2ca02c"]  # the old palette's
    assert distances(red_green, SEEN["normal"])[0, 1] > 100
    assert distances(red_green, SEEN["deuteranopia"])[0, 1] < 10


@pytest.mark.parametrize("vision", SEEN)
def test_every_two_of_ten_classes_differ_in_colour_or_marker(vision):
    apart = distances(PALETTE, SEEN[vision])
    markers = np.array(class_markers(10))
    one_marker = markers[:, None] == markers
    np.fill_diagonal(one_marker, False)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 17
    assert apart[one_marker].min() > 60


def test_every_colour_differs_from_white_paper():
    for seen in SEEN.values():
        assert distances([*PALETTE, "white"], seen)[-1, :-1].min() > 15


def test_classes_are_drawn_with_their_markers():
    labels = np.arange(40) % 10
    (axes,) = plots.latent_space(np.random.default_rng(0).normal(size=(40, 2)), labels).axes
    shapes = [handle.get_marker() for handle in axes.get_legend().legend_handles]
    assert shapes == [*MARKERS, *MARKERS]
    paths = axes.collections[0].get_paths()
    assert len(paths) == 40
    assert len({path.vertices.tobytes() for path in paths}) == len(MARKERS)
