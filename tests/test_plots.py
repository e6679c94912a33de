"""The pictures say what they show: artists, names and pixels, not only that something was drawn."""

import io
import types

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from common import plots
from common.errors import InputError
from common.metrics import MetricKind

rng = np.random.default_rng(0)


def grey(count, size=8):
    """Image i is of one grey level, i / count."""
    return np.full((count, size, size, 1), 1.0) * np.arange(count)[:, None, None, None] / count


def canvas(axes):
    return np.asarray(axes.images[0].get_array())


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def tick_labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


# --- all figures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(lambda: plots.image_grid(grey(5)), id="grid"),
        pytest.param(lambda: plots.latent_space(rng.normal(size=(9, 2))), id="chart"),
    ],
)
def test_a_figure_shows_itself_and_pyplot_knows_none(figure):
    import matplotlib.pyplot as plt

    figure = figure()
    assert isinstance(figure, Figure)
    assert Image.open(io.BytesIO(figure._repr_png_())).format == "PNG"
    assert plt.get_fignums() == []


# --- latent space ----------------------------------------------------------------------------


def test_a_figure_is_kept_in_a_folder_made_for_it(tmp_path):
    figure = plots.image_grid(grey(4))
    path = tmp_path / "images" / "VAE" / "samples.png"
    assert figure.keep(path) is figure
    assert Image.open(path).size[0] > 100


def test_latent_space_draws_every_code_in_its_class_colour():
    codes, labels = rng.normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    figure = plots.latent_space(codes, labels, class_names=["cat", "dog", "owl"])
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("latent dimension 1", "latent dimension 2")
    legend = axes.get_legend()
    assert texts(legend) == ["cat", "dog", "owl"]

    points, colours = axes.collections[0].get_offsets(), axes.collections[0].get_facecolors()
    assert sorted(map(tuple, points)) == sorted(map(tuple, codes))
    legend_colours = [handle.get_color()[:3] for handle in legend.legend_handles]
    for point, colour in zip(points, colours, strict=True):
        label = labels[np.flatnonzero((codes == point).all(axis=1))[0]]
        np.testing.assert_allclose(colour[:3], legend_colours[label])


def test_latent_space_mixes_sorted_classes():
    codes, labels = rng.normal(size=(200, 2)), np.repeat([0, 1], 100)
    points = plots.latent_space(codes, labels).axes[0].collections[0].get_offsets()
    assert not np.array_equal(points, codes)


def test_latent_space_names_only_the_classes_present():
    figure = plots.latent_space(rng.normal(size=(4, 2)), np.array([3, 3, 7, 7]))
    assert texts(figure.axes[0].get_legend()) == ["3", "7"]


def test_latent_space_marks_the_means():
    codes = np.array([[0, 0], [2, 4], [10, 10], [10, 12]])
    axes = plots.latent_space(codes, np.array([0, 0, 1, 1]), means=True).axes[0]
    marks = {text.get_text(): text.get_position() for text in axes.texts}
    assert marks == {"0": (1, 2), "1": (10, 11)}


def boxes_of(texts, figure):
    figure.draw_without_rendering()
    return [Text.get_window_extent(text).padded(-2) for text in texts]


@pytest.mark.parametrize("names", [list("01234"), [*("Ankle boot", "Bag", "Coat", "Dress", "T")]])
def test_names_of_means_do_not_overlap_and_point_to_their_means(names):
    codes = rng.normal(size=(500, 2))  # The means of five classes at nearly the same place.
    labels = np.arange(500) % 5
    figure = plots.latent_space(codes, labels, names, means=True)
    texts = figure.axes[0].texts
    boxes = boxes_of(texts, figure)
    overlaps = [a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i]]
    assert not any(overlaps)
    for label, text in enumerate(texts):
        np.testing.assert_allclose(text.xy, codes[labels == label].mean(axis=0))


def test_latent_space_of_many_classes_has_a_colour_bar():
    figure = plots.latent_space(rng.normal(size=(100, 2)), np.arange(100))
    assert figure.axes[0].get_legend() is None
    assert figure.axes[1].get_ylabel() == "class"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((5, 3)),), r"\(5, 3\).*tsne"),
        ((np.zeros((0, 2)),), r"\(0, 2\)"),
        ((np.array([[0, np.nan]]),), "diverged"),
        ((np.zeros((5, 2)), np.zeros(4, int)), r"\(4,\).*\(5,\) integers"),
        ((np.zeros((5, 2)), np.zeros(5)), "float64"),
    ],
)
def test_latent_space_refuses(arguments, message):
    with pytest.raises(InputError, match=message):
        plots.latent_space(*arguments)


def test_tsne_keeps_clusters_together():
    labels = np.repeat([0, 1], 20)
    codes = rng.normal(size=(40, 6)) + 50 * labels[:, None]
    figure = plots.tsne(codes, labels)
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("t-SNE dimension 1", "t-SNE dimension 2")
    points, colours = axes.collections[0].get_offsets(), axes.collections[0].get_facecolors()
    first = (colours == colours[0]).all(axis=1)
    assert first.sum() == 20
    apart = np.linalg.norm(points[first].mean(axis=0) - points[~first].mean(axis=0))
    assert apart > 2 * points[first].std()


def test_tsne_of_a_single_dimension():
    axes = plots.tsne(rng.normal(size=(20, 1))).axes[0]
    assert len(axes.collections[0].get_offsets()) == 20


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((4, 3)), "at least 5"),
        (np.zeros((9, 2, 2, 3)), "Flatten"),
        (np.ones((9, 3)), "collapsed"),
        (np.full((9, 3), np.inf), "finite"),
    ],
)
def test_tsne_refuses(codes, message):
    with pytest.raises(InputError, match=message):
        plots.tsne(codes)


# --- loss curves -----------------------------------------------------------------------------

HISTORY = {
    "loss": [3.0, 2.0, 1.5],
    "kl_loss": [0.1, 0.2, 0.3],
    "classifier_accuracy": [0.5, 0.7, 0.8],
    "val_loss": [3.1, 2.2, 1.9],
    "val_kl_loss": [0.1, 0.2, 0.2],
    "val_classifier_accuracy": [0.4, 0.6, 0.7],
}


def test_loss_curves_have_a_panel_per_metric():
    loss, kl, accuracy = plots.loss_curves(HISTORY).axes
    assert [axes.get_title() for axes in (loss, kl, accuracy)] == [
        "loss",
        "KL loss",
        "classifier accuracy",
    ]
    assert {axes.get_xlabel() for axes in (loss, kl, accuracy)} == {"epoch"}
    assert loss.get_ylabel() == "loss per image"
    assert kl.get_ylabel() == "nats per image"
    assert accuracy.get_ylabel() == "share correct"
    training, validation = loss.lines
    assert texts(loss.get_legend()) == ["training", "validation"]
    np.testing.assert_array_equal(training.get_xydata(), [[1, 3.0], [2, 2.0], [3, 1.5]])
    np.testing.assert_array_equal(validation.get_ydata(), HISTORY["val_loss"])


def test_loss_curves_name_the_split():
    history = {"loss": [2, 1], "val_loss": [3, 2]}
    (axes,) = plots.loss_curves(history, split="test").axes
    assert texts(axes.get_legend()) == ["training", "test"]
    (axes,) = plots.loss_curves(history | {"test_loss": [4, 3]}).axes
    assert texts(axes.get_legend()) == ["training", "validation", "test"]


def test_loss_curves_of_other_names_go_by_their_kinds():
    kinds = {
        "g": MetricKind("player loss"),
        "d_loss": MetricKind("player loss"),
        "f_real": MetricKind("score", "real"),
        "f_fake": MetricKind("score", "fake"),
        "gap": MetricKind("distance"),
    }
    history = {name: [2, 1] for name in ("f_fake", "extra", *kinds)}
    for given in ((history, kinds), (trained(history, kinds),)):
        players, score, distance, extra = plots.loss_curves(*given).axes
        assert texts(players.get_legend()) == ["g", "d"]
        assert texts(score.get_legend()) == ["real images", "generated images"]
        assert score.get_title() == "the discriminator's score"
        assert (distance.get_title(), distance.get_ylabel()) == ("gap", "score real − generated")
        assert extra.get_title() == extra.get_ylabel() == "extra"


def trained(history, kinds):
    """As Keras's `History` of a model that states its metrics' kinds."""
    model = types.SimpleNamespace(metric_kinds=kinds)
    return types.SimpleNamespace(history=history, epoch=[0, 1], model=model)


def test_loss_curves_put_both_players_on_one_panel():
    names = ["d_real", "discriminator_loss", "generator_loss", "d_fake"]
    players, belief = plots.loss_curves({name: [1, 2] for name in names}).axes
    assert texts(players.get_legend()) == ["generator", "discriminator"]
    assert texts(belief.get_legend()) == ["real images", "generated images"]


def test_loss_curves_tell_scores_from_probabilities():
    belief = plots.loss_curves({"d_real": [1, 2], "d_fake": [0, 1]}).axes[0]
    score = plots.loss_curves({"score_real": [1, 2], "score_fake": [0, -1]}).axes[0]
    assert (belief.get_title(), score.get_title()) == (
        "the discriminator's probabilities",
        "the discriminator's score",
    )
    assert texts(score.get_legend()) == ["real images", "generated images"]


def test_loss_curves_draw_a_loss_equal_to_the_reconstruction_loss_once():
    history = {"loss": [2, 1], "reconstruction_loss": [2, 1], "val_loss": [3, 2]}
    (axes,) = plots.loss_curves(history).axes
    assert axes.get_title() == "reconstruction loss"
    assert len(plots.loss_curves(history | {"loss": [3, 2]}).axes) == 2


def test_a_first_epoch_does_not_squeeze_the_others_and_its_value_is_said():
    history = {
        "loss": [260.0, 160, 150, 140, 130, 125],
        "classifier_accuracy": [0.1, 0.8, 0.85, 0.9, 0.91, 0.92],
        "kl_loss": [5.0, 4, 3, 2, 1, 0],
    }
    loss, kl, accuracy = plots.loss_curves(history).axes
    assert loss.get_ylim() == pytest.approx((122.2, 162.8))
    assert loss.get_xlabel() == "epoch (beyond the scale: 260 in epoch 1)"
    assert accuracy.get_xlabel() == "epoch (beyond the scale: 0.1 in epoch 1)"
    # A steady fall is shown whole, and so are a few epochs.
    assert kl.get_xlabel() == "epoch" and kl.get_ylim()[1] > 5
    (few,) = plots.loss_curves({"loss": [260, 160, 150, 140]}).axes
    assert few.get_ylim()[1] > 260


def test_every_loss_figure_is_as_wide_as_the_others():
    histories = [{name: [2, 1] for name in "abcde"[:count]} for count in (1, 2, 3, 4, 5)]
    assert {plots.loss_curves(history).get_figwidth() for history in histories} == {10.0}


def test_loss_curves_say_a_squared_error():
    kinds = {"loss": MetricKind("squared error")}
    (axes,) = plots.loss_curves({"loss": [2, 1]}, kinds).axes
    assert axes.get_ylabel() == "squared error per image"


def test_loss_curves_of_several_trainings_share_their_panels():
    longer = pd.DataFrame({"loss": [4, 3, 2], "val_loss": [5, 4, 3], "kl_loss": [1, 1, 1]})
    figure = plots.loss_curves({"ae": {"loss": [2, 1]}, "$v_$": longer}, title="two models")
    loss, kl = figure.axes
    assert texts(loss.get_legend()) == ["ae", "$v_$", "$v_$, validation"]
    assert texts(kl.get_legend()) == ["$v_$"]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), [4, 3, 2])
    # A training has one colour in every panel, and its validation images dashes.
    colours = [tuple(line.get_color()) for line in (*loss.lines, *kl.lines)]
    assert colours[0] != colours[1] == colours[2] == colours[3]
    assert [line.get_linestyle() for line in loss.lines] == ["-", "-", "--"]
    assert figure.get_suptitle() == "two models"


def test_loss_curves_of_several_gans_tell_trainings_and_players_apart():
    gan = {"generator_loss": [1, 2], "discriminator_loss": [2, 1]}
    (axes,) = plots.loss_curves({"a": gan, "b": gan}).axes
    names = ["a, generator", "a, discriminator", "b, generator", "b, discriminator"]
    assert texts(axes.get_legend()) == names
    assert len({tuple(line.get_color()) for line in axes.lines}) == 4


def test_values_far_above_most_have_a_logarithmic_scale():
    history = {"loss": [30_000.0, 90.0, 80.0], "kl_loss": [30.0, 90.0, 80.0], "gap": [-9e3, 1, 2]}
    scales = [axes.get_yscale() for axes in plots.loss_curves(history).axes]
    assert scales == ["log", "linear", "linear"]


def test_loss_curves_draw_a_metric_they_do_not_know():
    axes = plots.loss_curves({"learning_rate": [1e-3, 1e-4]}).axes[0]
    assert axes.get_title() == axes.get_ylabel() == "learning rate"


def test_loss_curves_of_a_validation_every_second_epoch():
    history = {"loss": [6, 5, 4, 3, 2, 1], "val_loss": [5, 3, 1]}
    _, validation = plots.loss_curves(history).axes[0].lines
    np.testing.assert_array_equal(validation.get_xdata(), [2, 4, 6])


def test_loss_curves_stand_at_the_epochs_of_the_history():
    (axes,) = plots.loss_curves(pd.DataFrame({"epoch": [5, 10], "loss": [2, 1]})).axes
    assert list(axes.lines[0].get_xdata()) == [5, 10]


def test_loss_curves_refuse_a_history_without_an_epoch():
    with pytest.raises(InputError, match="no epoch"):
        plots.loss_curves({})


# --- anomalies and modes ---------------------------------------------------------------------


def test_roc_curve():
    (axes,) = plots.roc_curve(np.array([0, 0.2, 1]), np.array([0, 0.9, 1]), 0.85).axes
    curve, chance = axes.lines
    np.testing.assert_array_equal(curve.get_xydata(), [[0, 0], [0.2, 0.9], [1, 1]])
    np.testing.assert_array_equal(chance.get_xydata(), [[0, 0], [1, 1]])
    assert "AUROC 0.850" in texts(axes.get_legend())[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("false positive rate", "true positive rate")


def test_roc_curve_names_its_score_and_draws_the_others_thin():
    chosen, others = ([0, 1], [0, 1], 0.5), {"b": ([0, 1], [0, 1], 0.6), "c": ([0, 1], [1, 1], 0.9)}
    figure = plots.roc_curve(*chosen, "code $x_$", others, "vae on digits: finding class 8")
    (axes,) = figure.axes
    assert axes.get_title() == "vae on digits: finding class 8"
    entries = ["code $x_$, AUROC 0.500", "c, AUROC 0.900", "b, AUROC 0.600", "chance, AUROC 0.500"]
    assert texts(axes.get_legend()) == entries
    widths = [line.get_linewidth() for line in axes.lines]
    assert widths[0] > 2 * widths[1] == 2 * widths[2]
    with pytest.raises(InputError, match="true positive"):
        plots.roc_curve(*chosen, others={"d": ([0, 1], [0, 2], 0.5)})


def test_held_out_scores():
    figure = plots.held_out_scores(pd.Series([0.9, 0.6, 0.75], index=[0, 1, 8]))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.9, 0.6, 0.75]
    assert tick_labels(axes.xaxis) == ["0", "1", "8"]
    assert [text.get_text() for text in axes.texts] == ["0.90", "0.60", "0.75"]
    mean, chance = axes.lines
    np.testing.assert_allclose(mean.get_ydata(), 0.75)
    np.testing.assert_allclose(chance.get_ydata(), 0.5)
    assert texts(axes.get_legend()) == ["mean 0.750", "chance"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("class held out of training", "AUROC")


def test_mode_histogram():
    figure = plots.mode_histogram([30, 0, 10], ["cat", "dog", "owl"], reference=[1, 2, 1])
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches[:3]] == [30, 0, 10]
    assert axes.get_title() == "2 of 3 modes in 40 samples"
    titled = plots.mode_histogram([30, 0, 10], title="dcgan on digits").axes[0].get_title()
    assert titled == "dcgan on digits\n2 of 3 modes in 40 samples"
    assert tick_labels(axes.xaxis) == ["cat", "dog", "owl"]
    assert texts(axes.get_legend()) == ["generated", "data"]
    np.testing.assert_array_equal(axes.patches[3].get_data().values, [10, 20, 10])


def test_mode_histogram_ranks_many_modes():
    counts = rng.integers(1, 50, 1000)
    (axes,) = plots.mode_histogram(counts).axes
    drawn, expected = (patch.get_data().values for patch in axes.patches)
    np.testing.assert_array_equal(drawn, np.sort(counts)[::-1])
    np.testing.assert_allclose(expected, counts.mean())
    assert "most frequent first" in axes.get_xlabel()
    assert axes.get_yscale() == "log" and axes.get_ylim()[0] < counts.min()


def test_mode_history_shows_shares_by_epoch():
    axes, bar = plots.mode_history({10: [1, 3], 5: [2, 0]}).axes
    np.testing.assert_array_equal(axes.collections[0].get_array(), [[1, 0.25], [0, 0.75]])
    assert [text.get_text() for text in axes.texts] == ["100", "25", "75"]
    assert tick_labels(axes.xaxis) == ["5", "10"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "mode")
    assert bar.get_ylabel() == "share of samples"


def test_one_epoch_of_one_mode_leaves_the_others_their_colours():
    even = np.full(10, 100)
    axes, _ = plots.mode_history({1: 1000 * np.eye(10)[1], 2: even, 3: even}, title="a gan").axes
    assert axes.collections[0].get_clim() == (0, pytest.approx(0.3))
    assert axes.get_title() == "a gan\nshare of the samples in each mode, %"


def test_mode_history_ranks_many_modes_in_each_epoch():
    counts = rng.integers(0, 9, (2, 200))
    counts[0, 50:] = 0
    axes, bar = plots.mode_history({1: counts[0], 2: counts[1]}).axes
    shares = axes.collections[0].get_array()
    expected = np.sort(counts / counts.sum(axis=1, keepdims=True), axis=1)[:, ::-1].T
    np.testing.assert_allclose(shares.filled(0), expected)
    np.testing.assert_array_equal(shares.mask, expected == 0)
    assert "most frequent first" in axes.get_ylabel() and bar.get_yscale() == "log"
    plots.mode_history({1: [1] * 40, 2: [2] * 40})._repr_png_()  # one colour only


# --- a user's axes -----------------------------------------------------------------------------

IMAGES = np.stack([grey(3), grey(3)])
ON_AXES = {
    "latent_space": lambda **on: plots.latent_space(CODES, np.arange(20) % 3, means=True, **on),
    "tsne": lambda **on: plots.tsne(CODES, **on),
    "roc_curve": lambda **on: plots.roc_curve([0, 1], [0, 1], 0.5, **on),
    "held_out_scores": lambda **on: plots.held_out_scores(pd.Series([0.5, 0.7]), **on),
    "mode_histogram": lambda **on: plots.mode_histogram([1, 2], **on),
    "mode_history": lambda **on: plots.mode_history({1: [1, 2]}, **on),
    "image_grid": lambda **on: plots.image_grid(grey(4), captions=list("abcd"), **on),
    "reconstructions": lambda **on: plots.reconstructions(grey(4), grey(4), **on),
    "nearest_neighbours": lambda **on: plots.nearest_neighbours(grey(4), grey(4), **on),
    "manifold": lambda **on: plots.manifold(lambda z: grey(len(z)), n=3, **on),
    "traversals": lambda **on: plots.traversals(IMAGES, [0, 0.5, 1], **on),
    "interpolation": lambda **on: plots.interpolation(IMAGES, **on),
}
CODES = rng.normal(size=(20, 2))


@pytest.mark.parametrize("name", ON_AXES)
def test_a_plot_draws_on_a_users_axes_and_says_a_title(name):
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes, other = figure.subplots(1, 2)
    assert ON_AXES[name](ax=axes, title="$m_$ on d") is figure
    assert axes.get_title().startswith("$m_$ on d") and axes.has_data() and not other.has_data()
    assert figure.get_size_inches().tolist() == [9, 4] and not axes.title.get_parse_math()
    figure.savefig(io.BytesIO(), format="png")
    with pytest.raises(InputError, match="ax is a ndarray; expected one Matplotlib Axes"):
        ON_AXES[name](ax=np.array([axes, other]))
