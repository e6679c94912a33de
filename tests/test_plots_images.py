"""Grids, traversals and films: the right pixels in the right place, the right frames in order."""

import numpy as np
import pytest
from PIL import Image

from common import plots
from common.errors import InputError


def levels(values, size=8):
    """One square image per value, all of its pixels at that value."""
    return np.ones((len(values), size, size, 1)) * np.reshape(values, (-1, 1, 1, 1))


def cell(axes, row, column, size=8, gap=1):
    """The pixels drawn in one cell of a grid without captions."""
    top, left = row * (size + gap), column * (size + gap)
    return np.asarray(axes.images[0].get_array())[top : top + size, left : left + size]


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


# --- grids -----------------------------------------------------------------------------------


def test_image_grid_runs_row_by_row_on_white():
    (axes,) = plots.image_grid(levels([0.1, 0.2, 0.3, 0.4, 0.5]), columns=3, title="five").axes
    np.testing.assert_allclose(cell(axes, 0, 2), 0.3, rtol=1e-6)
    np.testing.assert_allclose(cell(axes, 1, 1), 0.5, rtol=1e-6)
    assert (cell(axes, 1, 2) == 1).all()
    drawn = axes.images[0].get_array()
    assert drawn.shape == (8 + 1 + 8, 3 * 8 + 2)
    assert (drawn[8] == 1).all() and (drawn[:, 8] == 1).all()
    assert axes.get_title() == "five"
    # Levels mean the same in every picture, whatever its own range.
    assert axes.images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(
    ("count", "shape"), [(1, (1, 1)), (3, (1, 3)), (10, (2, 5)), (16, (4, 4)), (17, (4, 5))]
)
def test_image_grid_chooses_its_columns(count, shape):
    drawn = plots.image_grid(levels(np.zeros(count))).axes[0].images[0].get_array()
    assert ((drawn.shape[0] + 1) // 9, (drawn.shape[1] + 1) // 9) == shape


def test_image_grid_takes_bytes_colours_halves_and_booleans():
    colour = np.zeros((2, 8, 8, 3), np.uint8)
    colour[1, ..., 0] = 255
    (axes,) = plots.image_grid(colour).axes
    np.testing.assert_array_equal(cell(axes, 0, 1)[0, 0], [1, 0, 0])
    for images in (levels([0, 1]).astype(np.float16), levels([0, 1]).astype(bool)):
        assert (cell(plots.image_grid(images).axes[0], 0, 1) == 1).all()


def test_image_grid_captions_stand_under_their_images():
    axes = plots.image_grid(levels([0, 0, 0]), columns=2, captions=["a", "b", "c"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
    (ax, ay), (bx, by), (cx, cy) = (text.get_position() for text in axes.texts)
    assert ax == cx < bx and ay == by < cy
    assert ay > 7.5


def test_image_grid_frames_the_marked_images():
    (axes,) = plots.image_grid(levels([0, 0, 0, 0]), columns=2, framed=[False, True, False, 1]).axes
    corners = [frame.get_xy() for frame in axes.patches]
    assert corners == [(8.5, -0.5), (8.5, 8.5)]
    assert {(frame.get_width(), frame.get_height()) for frame in axes.patches} == {(8, 8)}
    assert not plots.image_grid(levels([0, 0])).axes[0].patches
    with pytest.raises(InputError, match=r"framed images: got the shape \(1,\)"):
        plots.image_grid(levels([0, 0]), framed=[True])


def test_image_grid_fills_its_figure():
    figure = plots.image_grid(levels(np.zeros(16)))
    place = figure.axes[0].get_position()
    assert place.width > 0.9 and place.height > 0.9
    assert max(figure.get_size_inches()) < 4


def test_hundreds_of_images_keep_to_a_page():
    assert plots.image_grid(levels(np.zeros(900))).get_figwidth() < 10.5


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((4, 8, 8)), r"\(4, 8, 8\).*\[\.\.\., None\]"),
        (np.zeros((4, 8, 8, 2)), "1 or 3 channels"),
        (np.zeros((0, 8, 8, 1)), "at least one"),
        (levels([0, 255.0]), "Divide 0…255 by 255"),
        (levels([-1.0, 1.0]), r"\(x \+ 1\) / 2"),
        (levels([0, np.nan]), "without NaN"),
        (levels([0, 255]).astype(int), "int64; expected uint8"),
    ],
)
def test_image_grid_refuses(images, message):
    with pytest.raises(InputError, match=message):
        plots.image_grid(images)


@pytest.mark.parametrize(
    ("plot", "names"),
    [
        (plots.reconstructions, ["original", "reconstructed"]),
        (plots.nearest_neighbours, ["generated", "nearest\ntraining image"]),
    ],
)
def test_pairs_stand_over_each_other(plot, names):
    (axes,) = plot(levels([0.1, 0.2, 0.3]), levels([0.4, 0.5, 0.6])).axes
    assert tick_labels(axes.yaxis) == names
    np.testing.assert_allclose(cell(axes, 0, 1), 0.2, rtol=1e-6)
    np.testing.assert_allclose(cell(axes, 1, 1), 0.5, rtol=1e-6)


def test_reconstructions_show_the_first_n():
    axes = plots.reconstructions(levels(np.zeros(50)), levels(np.zeros(50)), n=4).axes[0]
    assert axes.images[0].get_array().shape == (17, 4 * 9 - 1)


def test_pairs_of_different_shapes_are_refused():
    with pytest.raises(InputError, match="do not match"):
        plots.reconstructions(levels([0, 1]), levels([0, 1, 1]))


def test_originals_stand_beside_samples():
    originals, samples = plots.originals_and_samples(levels([0.25] * 40), levels([0.75] * 9)).axes
    assert (originals.get_title(), samples.get_title()) == ("originals", "generated")
    assert originals.get_position().x1 < samples.get_position().x0
    assert originals.images[0].get_array().shape == (5 * 9 - 1, 5 * 9 - 1)
    assert (cell(samples, 2, 2) == 0.75).all()
    titled = plots.originals_and_samples(levels([0.25]), levels([0.5]), title="a $gan_$")
    assert [text.get_text() for text in titled.axes[0].texts] == ["a $gan_$"]


# --- traversals ------------------------------------------------------------------------------


def first_code(z):
    """Decode to the first latent dimension in red and the second in blue, 0 in the middle."""
    return np.tile((z[:, None, None, [0, 0, 1]] / 8 + 0.5), (1, 8, 8, 1))


def test_manifold_maps_the_plane_through_gaussian_quantiles():
    (axes,) = plots.manifold(first_code, n=3).axes
    low, high = -1.6449 / 8 + 0.5, 1.6449 / 8 + 0.5  # the 5 % and 95 % quantiles
    for row, z2 in enumerate([high, 0.5, low]):  # z2 grows upwards
        for column, z1 in enumerate([low, 0.5, high]):
            np.testing.assert_allclose(cell(axes, row, column)[0, 0], [z1, z1, z2], atol=1e-4)
    ends = "from the 5 % to the 95 % quantile of N(0, 1)"
    assert axes.get_xlabel() == f"latent dimension 1, {ends}"
    assert axes.get_ylabel() == f"latent dimension 2, {ends}"
    assert tick_labels(axes.xaxis) == ["-1.64", "0", "1.64"]
    assert tick_labels(axes.yaxis) == ["1.64", "0", "-1.64"]


def test_manifold_asks_for_float32_codes_once():
    asked = []
    plots.manifold(lambda z: asked.append(z) or first_code(z))
    (codes,) = asked
    assert codes.shape == (400, 2) and codes.dtype == np.float32


def test_manifold_of_an_autoencoder_covers_its_codes():
    codes = np.stack([np.linspace(0, 4, 101), np.linspace(-4, 0, 101)], axis=1)
    (axes,) = plots.manifold(first_code, n=2, codes=codes).axes
    assert tick_labels(axes.xaxis) == ["0.2", "3.8"]
    assert tick_labels(axes.yaxis) == ["-0.2", "-3.8"]
    assert axes.get_xlabel().endswith("of the codes")


@pytest.mark.parametrize("codes", [np.zeros((5, 3)), np.zeros(2), np.zeros((5, 2, 2, 2))])
def test_manifold_refuses_codes_that_are_no_plane(codes):
    with pytest.raises(InputError, match=r"latent_dim=2.*traversals"):
        plots.manifold(first_code, codes=codes)


def test_traversals_have_a_row_per_dimension():
    images = np.stack([levels([0.1, 0.2, 0.3]), levels([0.4, 0.5, 0.6])])
    (axes,) = plots.traversals(images, [0.05, 0.5, 0.95]).axes
    np.testing.assert_allclose(cell(axes, 1, 2), 0.6, rtol=1e-6)
    assert tick_labels(axes.xaxis) == ["5%", "50%", "95%"]
    assert tick_labels(axes.yaxis) == ["1", "2"]
    assert axes.get_ylabel() == "latent dimension"
    with pytest.raises(InputError, match=r"expected \(rows, 4, H, W, C\)"):
        plots.traversals(images, [0, 0.1, 0.5, 1])
    (axes,) = plots.traversals(images, [0, 0.5, 1], dimensions=[7, 0]).axes
    assert tick_labels(axes.yaxis) == ["8", "1"]


def test_interpolation_has_a_row_per_way():
    (axes,) = plots.interpolation(levels([0.1, 0.2, 0.3])).axes
    assert tick_labels(axes.xaxis) == ["0%", "50%", "100%"]
    (axes,) = plots.interpolation(np.stack([levels([0.1, 0.2]), levels([0.3, 0.4])])).axes
    np.testing.assert_allclose(cell(axes, 1, 0), 0.3, rtol=1e-6)
    with pytest.raises(InputError, match="images have shape"):
        plots.interpolation(levels([0.1, 0.2])[..., 0])


# --- films -----------------------------------------------------------------------------------


def brightness(path):
    """The mean grey level of each frame, and how long each stays."""
    shown = []
    with Image.open(path) as film:
        for index in range(film.n_frames):
            film.seek(index)
            shown.append((np.asarray(film.convert("L")).mean(), film.info["duration"]))
    return zip(*shown, strict=True)


def test_animation_shows_epochs_by_number_and_holds_the_last(tmp_path):
    frames = {100: levels([0.9] * 4), 5: levels([0.1] * 4), 50: levels([0.5] * 4)}
    path = plots.animation(frames, tmp_path / "new" / "training.gif", fps=10)
    light, durations = brightness(path)
    assert len(light) == 3
    assert light[0] < light[1] < light[2]
    assert durations == (100, 100, 2000)


def test_animation_writes_the_epochs_over_frames_of_one_size(tmp_path):
    film = plots.animation(
        {1: levels([0.5]), 2: levels([0.5]), 10**6: levels([0.5])}, tmp_path / "a.gif"
    )
    shown = []
    with Image.open(film) as frames:
        for index in range(frames.n_frames):
            frames.seek(index)
            shown.append(np.asarray(frames.convert("L")))
    assert len(shown) == 3
    assert not np.array_equal(shown[0], shown[1])
    # "epoch 1000000" is wider than the picture under it, and no frame is cut.
    assert shown[0].shape[1] > 90 + 10


def test_animation_of_reconstructions_stands_beside_the_originals(tmp_path):
    frames = {1: levels([0.2] * 4), 9: levels([0.6] * 4)}
    film = plots.animation(frames, tmp_path / "a.gif", originals=levels([1.0] * 4), title="ae")
    with Image.open(film) as shown:
        shown.seek(1)
        last = np.asarray(shown.convert("L"))
    left, right = np.array_split(last[60:], 2, axis=1)
    # Both halves are white paper and images, of 1.0 on the left and 0.6 on the right.
    assert left.mean() > 250 and 150 < np.median(right) < 156
    with pytest.raises(InputError, match="originals have shape"):
        plots.animation(frames, tmp_path / "b.gif", originals=np.zeros((4, 8, 8)))


@pytest.mark.parametrize(
    ("frames", "name", "message"),
    [
        ({}, "a.gif", "no frame"),
        ({1: levels([0.5]), 2: levels([7.0])}, "a.gif", "range over"),
        ({1: levels([0.5])}, "a.mp4", r"\.gif"),
    ],
)
def test_animation_refuses_and_leaves_nothing(tmp_path, frames, name, message):
    with pytest.raises(InputError, match=message):
        plots.animation(frames, tmp_path / name)
    assert not list(tmp_path.iterdir())
