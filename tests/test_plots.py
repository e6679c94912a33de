"""The pictures say what they show: artists, names and pixels, not only that something was drawn."""

import io
import types

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
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
    (legend,) = figure.legends
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
    assert texts(figure.legends[0]) == ["3", "7"]


def test_latent_space_marks_the_means():
    codes = np.array([[0, 0], [2, 4], [10, 10], [10, 12]])
    axes = plots.latent_space(codes, np.array([0, 0, 1, 1]), means=True).axes[0]
    marks = {text.get_text(): text.get_position() for text in axes.texts}
    assert marks == {"0": (1, 2), "1": (10, 11)}


def test_latent_space_of_many_classes_has_a_colour_bar():
    figure = plots.latent_space(rng.normal(size=(100, 2)), np.arange(100))
    assert not figure.legends
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


def test_a_first_epoch_far_above_the_others_does_not_flatten_them():
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


def test_held_out_scores():
    figure = plots.held_out_scores(pd.Series([0.9, 0.6, 0.75], index=[0, 1, 8]))
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches] == [0.9, 0.6, 0.75]
    assert tick_labels(axes.xaxis) == ["0", "1", "8"]
    assert [text.get_text() for text in axes.texts] == ["0.90", "0.60", "0.75"]
    mean, chance = axes.lines
    np.testing.assert_allclose(mean.get_ydata(), 0.75)
    np.testing.assert_allclose(chance.get_ydata(), 0.5)
    assert texts(figure.legends[0]) == ["mean 0.750", "chance"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("class held out of training", "AUROC")


def test_mode_histogram():
    figure = plots.mode_histogram([30, 0, 10], ["cat", "dog", "owl"], reference=[1, 2, 1])
    (axes,) = figure.axes
    assert [bar.get_height() for bar in axes.patches[:3]] == [30, 0, 10]
    assert axes.get_title() == "2 of 3 modes in 40 samples"
    assert tick_labels(axes.xaxis) == ["cat", "dog", "owl"]
    assert texts(figure.legends[0]) == ["generated", "data"]
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
    assert tick_labels(axes.xaxis) == ["5", "10"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "mode")
    assert bar.get_ylabel() == "share of samples"


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
