"""The mode `anom`: the figures it writes, what it shows, and the table of all digits."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from common import cli, datasets, models, plots, presets, zoo
from common.commands import anomaly, run
from common.evaluation import codes
from common.evaluation.codes import CodeMixture

QUICK = ["--epochs", "2", "--data-fraction", "0.1"]
SCORES = {
    "squared_error", "cross_entropy", "prior_sample_nll", "code_density", "code_distance",
    "class_uncertainty",
}  # fmt: skip
OF_VAES = {"negative_elbo", "importance_nll"}
DEFAULT = zoo.OPTIONS["score"].default

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module", autouse=True)
def few_samples():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(anomaly, "PRIOR_SAMPLES", 50)
        patch.setattr(codes, "MIXTURE_COMPONENTS", 2)
        patch.setattr(datasets.StackedMNISTData, "usual_samples", 6905)
        yield


def metrics_of(folder, section="anom"):
    return json.loads((folder / "metrics.json").read_text())[section]


def thin(monkeypatch, name):
    """Give a preset narrow layers."""
    preset = presets.get(name)
    preset["arguments"] |= {"widths": [12], "latent_dim": 3}
    monkeypatch.setitem(presets.PRESETS, name, preset)


@pytest.fixture(scope="module", params=[pytest.param("ae", marks=pytest.mark.slow), "vae"])
def found(request, tmp_path_factory, without_xla, few_samples):
    """The model's name and the results of one short training without the 3."""
    folder = tmp_path_factory.mktemp("results") / request.param
    words = [request.param, "anom", "digits", "--held-out", "3", *QUICK, "--output", str(folder)]
    assert cli.main(words) == 0
    return request.param, folder, words


def test_every_score_has_its_figure(found):
    name, folder, _ = found
    metrics = metrics_of(folder)
    scores = SCORES | OF_VAES if name == "vae" else SCORES
    assert {key.removeprefix("auroc_") for key in metrics if key.startswith("auroc_")} == scores
    assert scores <= set(zoo.SCORES)
    assert (metrics["held_out"], metrics["score"]) == (3, DEFAULT)
    assert metrics["auroc"] == metrics[f"auroc_{DEFAULT}"]
    assert all(0 <= metrics[key] <= 1 for key in metrics if key.startswith("auroc"))
    assert metrics_of(folder, "model")["epochs"] > 0


def test_the_figures_are_those_of_a_model_that_did_not_see_the_class(found):
    name, folder, _ = found
    metrics, recipe = metrics_of(folder), json.loads((folder / "config.json").read_text())
    assert recipe["data_options"] == {"data_fraction": 0.1, "drop_class": 3}
    model = zoo.MODELS[name].load().load(folder / "model.keras")
    data = datasets.load("digits", data_fraction=0.1)
    is_anomaly = data.y_test == 3
    assert 0 < is_anomaly.sum() < len(data.y_test)
    uncertainty = 1 - model.classify(data.x_test).max(axis=1)
    expected = roc_auc_score(is_anomaly, uncertainty)
    assert metrics["auroc_class_uncertainty"] == pytest.approx(expected)
    known = datasets.load("digits", data_fraction=0.1, drop_class=3).x_train
    density = CodeMixture(model.encode(known)).nll(model.encode(data.x_test))
    assert metrics["auroc_code_density"] == pytest.approx(roc_auc_score(is_anomaly, density))
    distance = codes.code_distance(model.encode(known), model.encode(data.x_test))
    assert metrics["auroc_code_distance"] == pytest.approx(roc_auc_score(is_anomaly, distance))
    shown = {"code_density": density, "code_distance": distance}[DEFAULT]
    precision = average_precision_score(is_anomaly, shown)
    assert metrics["average_precision"] == pytest.approx(precision)
    error = np.square(data.x_test / 255 - model.reconstruct(data.x_test)).sum(axis=(1, 2, 3))
    assert metrics["auroc_squared_error"] == pytest.approx(roc_auc_score(is_anomaly, error))


def test_the_most_anomalous_images_are_shown_with_their_scores(found, monkeypatch, capsys):
    name, folder, words = found
    drawn, draw = [], plots.image_grid
    curves, draw_curve = [], plots.roc_curve

    def watch(*args, **options):
        drawn.append({"images": args[0], **options})
        return draw(*args, **options)

    monkeypatch.setattr(plots, "image_grid", watch)
    monkeypatch.setattr(
        plots, "roc_curve", lambda *args: curves.append(draw_curve(*args)) or curves[-1]
    )
    assert cli.main([*words, "--score", "squared_error", "--k", "5"]) == 0
    assert "Loaded" in capsys.readouterr().out
    for picture in ("most_anomalous.png", "roc.png", "losses.png", "training.gif"):
        with Image.open(folder / picture) as image:
            assert min(image.size) > 100, picture
    metrics = metrics_of(folder)
    assert metrics["score"] == "squared_error"
    assert metrics["auroc"] == metrics["auroc_squared_error"]

    (options,) = drawn
    labels, scores = zip(*(caption.split("\n") for caption in options["captions"]), strict=True)
    model_and_data, score, framed = options["title"].split("\n")
    assert model_and_data == f"{name} on digits without 3, 2 epochs"
    assert score == "most anomalous by squared error"
    assert framed == f"framed: class 3, held out ({labels.count('3')} of 5)"
    assert options["framed"].tolist() == [label == "3" for label in labels]
    curve = curves[0].axes[0]
    assert curve.get_title() == f"{model_and_data}: finding class 3"
    entries = [text.get_text() for text in curve.get_legend().get_texts()]
    assert entries[0] == f"squared error, AUROC {metrics['auroc']:.3f}"
    others = {entry.split(",")[0] for entry in entries[1:-1]}
    assert others == {
        anomaly.in_words(s) for s in SCORES | (OF_VAES if name == "vae" else set())
    } - {"squared error"}
    assert len(scores) == 5 and sorted(map(float, scores), reverse=True) == [*map(float, scores)]
    data = datasets.load("digits", data_fraction=0.1)
    model = models.AE.load(folder / "model.keras")
    images = data.x_test / np.float32(255)
    errors = np.square(images - model.reconstruct(images)).sum(axis=(1, 2, 3))
    strangest = np.argsort(-errors)[:5]
    np.testing.assert_allclose([*map(float, scores)], errors[strangest], rtol=0.01)
    assert labels == tuple(str(label) for label in data.y_test[strangest])
    np.testing.assert_array_equal(options["images"], data.x_test[strangest])


def test_the_training_codes_are_fitted_once(monkeypatch):
    model = models.AE((28, 28, 1), 2, widths=[4], seed=0)
    data = datasets.load("digits", data_fraction=0.1)
    encoded, fitted, encode, fit = [], [], model.encode, codes.GaussianMixture.fit
    monkeypatch.setattr(
        model, "encode", lambda x, *size: encoded.append(len(x)) or encode(x, *size)
    )
    monkeypatch.setattr(
        codes.GaussianMixture, "fit", lambda self, x: fitted.append(len(x)) or fit(self, x)
    )
    assert "code_density" in dict(anomaly.scores_of(model, data))
    assert encoded.count(len(data.x_train)) == 1 and fitted == [len(data.x_train)]


@keras.saving.register_keras_serializable("tests")
def absolute_error(images, logits):
    return keras.ops.sum(keras.ops.abs(images - keras.ops.sigmoid(logits)), axis=(-3, -2, -1))


def test_a_likelihood_of_ones_own_has_no_score_of_prior_samples(tmp_path, capsys):
    model = models.AE((28, 28, 1), 2, widths=[4], likelihood=absolute_error, seed=0)
    model.compile()
    model.save(tmp_path / "own.keras")
    data = datasets.load("digits", data_fraction=0.1)
    assert {name for name, _ in anomaly.scores_of(model, data)} == {
        "squared_error", "cross_entropy", "code_density", "code_distance"
    }  # fmt: skip
    words = ["ae", "anom", "digits", "--data-fraction", "0.1", "--score", "prior_sample_nll"]
    own = ["--weights", str(tmp_path / "own.keras"), "--output", str(tmp_path / "out")]
    assert cli.main([*words, *own]) == 2
    assert "no prior_sample_nll; choose a --score from squared_error," in capsys.readouterr().err


@pytest.mark.slow
def test_all_digits_make_a_table(tmp_path, monkeypatch, capsys):
    thin(monkeypatch, "vae_digits_anomaly")
    left_out = []

    def untrained(recipe, model, data, folder, watchers):
        left_out.append(set(range(10)) - set(data.y_train))

    def chance(model, data):
        rng = np.random.default_rng(len(left_out))
        yield DEFAULT, rng.random(len(data.y_test))
        yield "squared_error", rng.random(len(data.y_test))

    monkeypatch.setattr(run, "train", untrained)
    monkeypatch.setattr(run, "figures_on_test", lambda *args: {})
    monkeypatch.setattr(anomaly, "scores_of", chance)
    words = ["vae", "anom", "digits", "--held-out", "all", "--k", "1", "--output", str(tmp_path)]
    assert cli.main(words) == 0
    assert left_out == [{digit} for digit in range(10)]

    table = pd.read_csv(tmp_path / "held_out.csv", index_col="held_out")
    figures = ["auroc", "average_precision", f"auroc_{DEFAULT}", "auroc_squared_error"]
    assert list(table) == figures and list(table.index) == list(range(10))
    for digit in range(10):
        alone = metrics_of(tmp_path / f"without-{digit}")
        assert alone["held_out"] == digit
        assert alone["auroc"] == pytest.approx(table["auroc"][digit])
    metrics = metrics_of(tmp_path)
    assert metrics["held_out"] == "all" and metrics["score"] == DEFAULT
    for name in figures:
        assert metrics[name] == pytest.approx(table[name].mean())
    with Image.open(tmp_path / "held_out.png") as image:
        assert min(image.size) > 100
    assert f"auroc {metrics['auroc']:.3f}" in capsys.readouterr().out


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    """A file like MNIST's, of scikit-learn's digits."""
    folder, data = tmp_path_factory.mktemp("mnist"), datasets.load("digits")
    names = ("x_train", "y_train", "x_test", "y_test")
    arrays = {name: getattr(data, name) for name in names}
    arrays |= {name: arrays[name][..., 0] for name in ("x_train", "x_test")}
    np.savez(folder / "mnist.npz", **arrays)
    return folder


def stacked(mnist, *words):
    # 25 single digits and 64 stacked ones to train on, 10 and 8 to test on.
    small = ["--data-fraction", "0.03", "--epochs", "1", "--data-dir", str(mnist)]
    return cli.main([words[0], words[1], "stacked", *small, *words[2:]])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae", "vae"])
def test_an_anomaly_in_one_channel_is_enough(name, mnist, tmp_path, monkeypatch):
    thin(monkeypatch, f"{name}_stacked")
    assert stacked(mnist, name, "anom", "--output", str(tmp_path)) == 0
    metrics = metrics_of(tmp_path)
    assert metrics["score"] == DEFAULT and "auroc_class_uncertainty" not in metrics
    assert ("auroc_negative_elbo" in metrics) is (name == "vae")
    data = datasets.load("stacked", data_fraction=0.03, drop_class=8, data_dir=mnist)
    digits = [f"{label:03d}" for label in data.y_test]
    is_anomaly = np.array(["8" in shown for shown in digits])
    assert not any("8" in f"{label:03d}" for label in data.y_train)
    images = np.asarray(data.x_test)
    model = models.AE.load(tmp_path / "model.keras")
    error = np.square(images / 255 - model.reconstruct(images)).sum(axis=(1, 2, 3))
    # Of a model that has learned little, rounding changes the order of some.
    expected = roc_auc_score(is_anomaly, error)
    assert metrics["auroc_squared_error"] == pytest.approx(expected, abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae", "vae"])
def test_a_thousand_modes_are_counted(name, mnist, tmp_path, verifier, monkeypatch):
    thin(monkeypatch, f"{name}_stacked")
    words = ["--verifier", str(verifier), "--output", str(tmp_path)]
    assert stacked(mnist, name, "gen", *words) == 0
    metrics = metrics_of(tmp_path, "gen")
    assert metrics["samples"] == 6905
    model = models.AE.load(tmp_path / "model.keras")
    if name == "vae":
        samples = model.sample(6905, seed=0)
    else:
        data = datasets.load("stacked", data_fraction=0.03, data_dir=mnist)
        mixture = CodeMixture(model.encode(data.x_train))
        samples = model.decode(mixture.sample(6905))
    beliefs = models.ImageClassifier.load(verifier).classify(samples)
    labels = beliefs.argmax(axis=2) @ [1, 10, 100]
    assert metrics["modes"] == len(set(labels))
    assert metrics["predictability"] == pytest.approx((beliefs.max(2).prod(1) >= 0.8).mean())

    assert stacked(mnist, name, "basic", *words) == 0
    metrics = metrics_of(tmp_path, "basic")
    assert 0 <= metrics["accuracy"] <= metrics["predictability"] <= 1


def test_grey_and_stacked_models_do_not_take_each_others_images(mnist, tmp_path, capsys):
    grey = models.VAE((28, 28, 1), widths=(4,))
    grey.compile()
    grey.save(tmp_path / "grey.keras")
    words = ["--weights", str(tmp_path / "grey.keras"), "--data-dir", str(mnist)]
    assert cli.main(["vae", "gen", "stacked", *words, "--output", str(tmp_path / "out")]) == 2
    message = "The data's images are (28, 28, 3), this model takes (28, 28, 1)"
    assert message in capsys.readouterr().err
