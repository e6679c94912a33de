"""What the command line refuses, in a sentence and before it trains anything."""

import pytest
from PIL import Image

from common import cli
from common.jobs.recipe import recipe_of
from common.models import DigitClassifier

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gan", "gen"], "MODEL 'gan' is unknown; choose from ae"),
        (["vae", "draw"], "MODE 'draw' is unknown; choose from basic"),
        (["vae", "gen", "cats"], "DATA 'cats' is unknown; choose from mono"),
        (
            ["wgan", "basic"],
            "has no encoder, so it cannot reconstruct test images; use `conv_vae b",
        ),
        (["wgan", "basic", "polynomials"], "test images; use `wgan gen`."),
        (["ae", "gen", "--beta", "2"], "--beta"),
        (["dcgan", "gen", "--classifier"], "Use ae or vae"),
        (["vae", "gen", "--preset", "vae_moon"], "Preset 'vae_moon' is unknown"),
        (["vae", "gen", "digits", "--preset", "ae_digits"], "is for AE, not VAE"),
        (["vae", "gen", "polynomials"], "no recipe of vae for polynomials"),
        (["vae", "gen", "digits", "--latent-dim", "0"], "at least 1"),
        (["vae", "gen", "digits", "--epochs", "0"], "--epochs 0"),
        (["vae", "gen", "digits", "--data-fraction", "2"], "outside (0, 1]"),
        (["vae", "gen", "digits", "--tolerance", "0"], "--tolerance 0.0; expected above 0"),
        (["vae", "gen", "digits", "--tolerance", "2"], "--tolerance 2.0"),
        (["vae", "gen", "digits", "--pack", "2"], "--pack is for a GAN"),
        (["dcgan", "gen", "digits", "--pack", "0"], "--pack 0; expected at least 1"),
        (["ae", "gen", "digits", "--nll-samples", "9"], "--nll-samples estimates a VAE's p(x)"),
        (["vae", "gen", "digits", "--nll-samples", "-1"], "--nll-samples -1; expected at least 0"),
        (
            ["vae", "gen", "digits", "--preset", "vae_mnist_seed", "--nll-samples", "9"],
            "squared error is not in nats",
        ),
        (["vae", "gen", "digits", "--verifier", "none.keras"], "no file none.keras"),
        (["vae", "gen", "digits", "--drop-class", "12"], "Class 12 cannot be left out"),
        (["vae", "gen", "digits", "--num-images", "9"], "no option num_images"),
        (["vae", "gen", "digits", "--samples", "0"], "--samples 0; expected at least 1"),
        (
            ["ae", "latent", "digits", "--data-fraction", "0.01"],
            "The codes of 4 test images are too few to draw; latent needs 5",
        ),
        (["vae", "gen", "digits", "--seed", "5000000000"], "--seed 5000000000; expected below"),
        (
            ["vae", "gen", "digits", "--weights", "x", "--latent-dim", "3"],
            "--latent-dim is for a training, and --weights takes a trained model as it is",
        ),
        (["vae", "gen", "digits", "--weights", "x", "--classifier"], "--classifier is for a train"),
        (["vae", "gen", "digits", "--seed", "-1"], "--seed -1; expected at least 0"),
        (["vae", "gen", "digits", "--beta", "nan"], "beta=nan; expected a finite number"),
        (["dcgan", "gen", "digits", "--batch-size", "2000"], "1437 images for steps of 2000; low"),
        (["vae", "gen", "digits", "--weights", "none.keras"], "no file none.keras"),
        (["vae", "gen", "digits", "--weights", "x", "--seed", "3"], "--seed is for a training"),
        (["vae", "gen", "digits", "--held-out", "3"], "--held-out is for the mode anom"),
        (["vae", "latent", "digits", "--samples", "30"], "--samples is for the mode gen"),
        (["vae", "anom", "digits", "--tolerance", "0.5"], "--tolerance is for the mode basic or g"),
        (
            ["conv_ae", "gen", "--preset", "conv_ae_digits", "--code", "map"],
            "--preset names the whole recipe, its code too",
        ),
        (["vae", "gen", "digits", "--code", "vector"], "--code is for conv_ae and conv_vae"),
        (["conv_ae", "gen", "--weights", "x", "--code", "map"], "--code is for a training"),
        (["lsgan", "gen", "digits", "--label-smoothing", "0.1"], "--label-smoothing is for dcgan"),
        (["vae", "gen", "digits", "--samples", "21"], "--samples 21, too few to count 10 modes"),
        (
            ["dcgan", "gen", "polynomials", "--num-images", "300", "--samples", "2"],
            "--samples 2, which say nothing of how they cover 300 polynomials; give at least 3",
        ),
    ],
)
def test_unusable_words_are_refused_in_a_sentence(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err
    assert "Training" not in captured.out
    assert not list(tmp_path.iterdir())


def test_the_data_modes_are_options():
    words = ["dcgan", "gen", "stacked", "--binarize", "threshold", "--drop-class", "8"]
    options = recipe_of(cli.parser().parse_args([*words, "--num-images", "500"])).data_options
    assert options == {
        "binarize": True, "drop_class": 8, "num_images": 500, "data_fraction": 1.0
    }  # fmt: skip


def test_a_preset_on_other_data_leaves_out_the_options_that_those_lack():
    words = ["dcgan", "gen", "digits", "--preset", "dcgan_polynomials"]
    assert recipe_of(cli.parser().parse_args(words)).data_options == {"data_fraction": 1.0}
    words = ["dcgan", "gen", "stacked", "--preset", "dcgan_polynomials"]
    assert recipe_of(cli.parser().parse_args(words)).data_options == {"data_fraction": 1.0}
    words = ["vae", "gen", "digits", "--preset", "vae_mnist_binarized"]
    assert recipe_of(cli.parser().parse_args(words)).data_options["binarize"] == "sampled"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (20, 28, 1)}, "judges images of (20, 28), the data's are (28, 28)"),
        ({"num_classes": 7}, "knows 7 classes, which makes 7 in 1 channel(s); the data have 10"),
    ],
)
def test_a_net_that_cannot_judge_the_data_is_refused(options, message, tmp_path, capsys):
    net = DigitClassifier(**options, width=1 / 32)
    net.save(tmp_path / "net.keras")
    words = ["--verifier", str(tmp_path / "net.keras"), "--output", str(tmp_path)]
    assert cli.main(["vae", "gen", "digits", *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Training" not in captured.out


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name in ("file", "link"):
        assert cli.main(["vae", "gen", "digits", "--output", str(tmp_path / name)]) == 2
        captured = capsys.readouterr()
        assert "cannot be written" in captured.err and "Training" not in captured.out


def test_a_classifier_of_images_without_labels(tmp_path, capsys):
    for k in range(8):
        Image.new("L", (64, 64), 30 * k).save(tmp_path / f"{k}.png")
    words = ["conv_ae", "latent", str(tmp_path), "--classifier", "--output", str(tmp_path / "out")]
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert "has no labels for a classifier" in captured.err and "Training" not in captured.out


@pytest.mark.parametrize("data", ["mono", "digits", "fashion", "polynomials"])
@pytest.mark.parametrize("model", ["dcgan", "lsgan", "wgan"])
def test_every_gan_has_a_recipe_for_every_grey_set(model, data):
    assert recipe_of(cli.parser().parse_args([model, "gen", data])).model == model.upper()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dcgan", "anom", "digits"], "has no encoder"),
        (["vae", "anom", "digits", "--held-out", "12"], "Class 12 cannot be left out"),
        (["vae", "anom", "digits", "--held-out", "-1"], "--held-out -1; expected a class's number"),
        (["vae", "anom", "digits", "--drop-class", "3"], "leave --drop-class"),
        (
            ["vae", "anom", "digits", "--held-out", "all", "--data-fraction", "0.05"],
            "Class 1 is shown by 0 of 18 images",
        ),
        (["vae", "anom", "digits", "--held-out", "eight"], "--held-out eight"),
        (["vae", "anom", "digits", "--held-out", "all", "--weights", "x"], "Name its class"),
        (["vae", "anom", "digits", "--score", "elbo"], "Score 'elbo' is unknown; choose from sq"),
        (["ae", "anom", "digits", "--score", "negative_elbo"], "negative_elbo needs a vae"),
        (["ae", "anom", "digits", "--score", "importance_nll"], "importance_nll needs a vae"),
        (["vae", "anom", "digits", "--k", "0"], "--k 0; expected at least 1"),
        (["vae", "anom", "digits", "--k", "361"], "--k 361; there are 360 test images"),
        (["vae", "anom", "digits", "--data-fraction", "0.01"], "Class 8 is shown by 0 of 4 images"),
        (["vae", "anom", "polynomials"], "no recipe of vae for polynomials"),
        (
            ["ae", "anom", "digits", "--preset", "ae_digits", "--score", "class_uncertainty"],
            "needs a model with a classifier; give --classifier",
        ),
    ],
)
def test_anomalies_that_cannot_be_found(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Training" not in captured.out
