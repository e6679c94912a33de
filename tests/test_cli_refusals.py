"""What the command line refuses, in a sentence and before it trains anything."""

import pytest
from PIL import Image

from common import cli, presets
from common.commands.config import RunConfig
from common.models import ImageClassifier

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gan", "gen"], "MODEL 'gan' is unknown; choose from ae"),
        (["vae", "draw"], "MODE 'draw' is unknown; choose from basic"),
        (["vae", "gen", "cats"], "DATA 'cats' is unknown; choose from mono"),
        (["vae", "gen", "./cats"], "There is no folder ./cats"),
        (["wgan", "basic"], "wgan cannot reconstruct test images; its modes are gen."),
        (["ae", "gen", "--beta", "2"], "--beta is only for vae, conv_vae"),
        (["dcgan", "gen", "--classifier"], "--classifier is only for ae, vae"),
        (["vae", "gen", "--preset", "vae_moon"], "Preset 'vae_moon' is unknown"),
        (["vae", "gen", "digits", "--preset", "ae_digits"], "is for AE; vae cannot use it"),
        (["vae", "gen", "polynomials"], "vae has no recipe 'vae_polynomials' for polynomials"),
        (["vae", "gen", "digits", "--latent-dim", "0"], "at least 1"),
        (["vae", "gen", "digits", "--epochs", "0"], "--epochs 0"),
        (["vae", "gen", "digits", "--data-fraction", "2"], "2.0; expected above 0 and at most 1"),
        (["vae", "gen", "digits", "--tolerance", "0"], "--tolerance 0.0; expected above 0"),
        (["vae", "gen", "digits", "--tolerance", "2"], "--tolerance 2.0"),
        (["vae", "gen", "digits", "--pack", "2"], "--pack is only for dcgan"),
        (["dcgan", "gen", "digits", "--pack", "0"], "--pack 0; expected at least 1"),
        (["ae", "gen", "digits", "--nll-samples", "9"], "--nll-samples is only for vae"),
        (["vae", "gen", "digits", "--nll-samples", "-1"], "--nll-samples -1; expected at least 0"),
        (
            ["vae", "gen", "digits", "--preset", "vae_mnist_seed", "--nll-samples", "9"],
            "loss is not in nats",
        ),
        (["vae", "gen", "digits", "--verifier", "none.keras"], "no file none.keras"),
        (["vae", "gen", "digits", "--drop-class", "12"], "Class 12 cannot be left out"),
        (["vae", "gen", "digits", "--num-images", "9"], "--num-images is only for polynomials"),
        (["vae", "gen", "digits", "--samples", "0"], "--samples 0; expected at least 1"),
        (
            ["ae", "latent", "digits", "--data-fraction", "0.01"],
            "Got 4 test images; latent needs at least 5 codes",
        ),
        (
            ["vae", "gen", "digits", "--seed", "5000000000"],
            "--seed 5000000000; expected at least 0 and at most 4,294,967,295",
        ),
        (
            ["vae", "gen", "digits", "--weights", "x", "--latent-dim", "3"],
            "--latent-dim changes how a model is trained, and --weights takes a trained one",
        ),
        (
            ["vae", "gen", "digits", "--weights", "x", "--classifier"],
            "--classifier changes how a m",
        ),
        (["vae", "gen", "digits", "--seed", "-1"], "--seed -1; expected at least 0"),
        (["vae", "gen", "digits", "--beta", "nan"], "--beta nan; expected at least 0"),
        (["dcgan", "gen", "digits", "--batch-size", "2000"], "1437 images for steps of 2000; low"),
        (["vae", "gen", "digits", "--weights", "none.keras"], "no file none.keras"),
        (
            ["vae", "gen", "digits", "--weights", "x", "--seed", "3"],
            "--seed changes how a model is trained",
        ),
        (["vae", "gen", "digits", "--held-out", "3"], "--held-out is only for anom"),
        (["vae", "gen", "digits", "--held-out", "8"], "--held-out is only for anom"),
        (["vae", "latent", "digits", "--samples", "30"], "--samples is only for gen"),
        (["vae", "anom", "digits", "--tolerance", "0.5"], "--tolerance is only for basic, gen"),
        (
            ["conv_ae", "gen", "--preset", "conv_ae_digits", "--code", "map"],
            "--preset names the whole recipe, with its code",
        ),
        (["vae", "gen", "digits", "--code", "vector"], "--code is only for conv_ae, conv_vae"),
        (
            ["conv_ae", "gen", "--weights", "x", "--code", "map"],
            "--code changes how a model is trained",
        ),
        (
            ["lsgan", "gen", "digits", "--label-smoothing", "0.1"],
            "--label-smoothing is only for dcgan",
        ),
        (
            ["vae", "gen", "digits", "--samples", "21"],
            "--samples 21, too few to say anything about digits; give at least 22",
        ),
        (
            ["dcgan", "gen", "polynomials", "--num-images", "300", "--samples", "2"],
            "--samples 2, too few to say anything about polynomials; give at least 3",
        ),
    ],
)
def test_unusable_words_are_refused_in_a_sentence(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err
    assert len(captured.err.splitlines()) <= 2
    assert "Training" not in captured.out
    assert not list(tmp_path.iterdir())


def recipe_of(words):
    return RunConfig.of_options(**vars(cli.parser().parse_args(words))).recipe


def test_the_data_modes_are_options():
    words = ["dcgan", "gen", "stacked", "--binarize", "threshold", "--drop-class", "8"]
    options = recipe_of([*words, "--num-images", "500"]).data_options
    assert options == {
        "binarize": True, "drop_class": 8, "num_images": 500, "data_fraction": 1.0
    }  # fmt: skip


def test_a_preset_on_other_data_leaves_out_the_options_that_those_lack():
    words = ["dcgan", "gen", "digits", "--preset", "dcgan_polynomials"]
    assert recipe_of(words).data_options == {"data_fraction": 1.0}
    words = ["dcgan", "gen", "stacked", "--preset", "dcgan_polynomials"]
    assert recipe_of(words).data_options == {"data_fraction": 1.0}
    words = ["vae", "gen", "digits", "--preset", "vae_mnist_binarized"]
    assert recipe_of(words).data_options["binarize"] == "sampled"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (20, 28, 1)}, "takes images of (20, 28), and the data's are (28, 28)"),
        ({"num_classes": 7}, "knows 7 classes, which makes 7 in 1 channel(s); the data have 10"),
    ],
)
def test_a_net_that_cannot_judge_the_data_is_refused(options, message, tmp_path, capsys):
    net = ImageClassifier(**options, width=1 / 32)
    net.save(tmp_path / "net.keras")
    words = ["--verifier", str(tmp_path / "net.keras"), "--output", str(tmp_path)]
    assert cli.main(["vae", "gen", "digits", *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Training" not in captured.out


def test_an_own_net_that_cannot_judge_is_refused_before_the_training(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments, message in (
        ({"image_shape": (20, 28, 1)}, "takes images of (20, 28), and the data's are (28, 28)"),
        ({"num_classes": 7}, "knows 7 classes, which makes 7 in 1 channel(s); the data have 10"),
    ):
        preset = presets.get("classifier_digits")
        preset["arguments"] |= arguments
        with monkeypatch.context() as patch:
            patch.setitem(presets.PRESETS, "classifier_digits", preset)
            assert cli.main(["vae", "gen", "digits"]) == 2
        captured = capsys.readouterr()
        assert message in captured.err and "Training" not in captured.out
    place = tmp_path / "results" / "classifier-digits"
    place.mkdir(parents=True)
    (place / "model.keras").write_bytes(b"of another recipe")
    preset["arguments"] = {"width": 0.5}  # The zoo has weights of its own recipe only.
    monkeypatch.setitem(presets.PRESETS, "classifier_digits", preset)
    assert cli.main(["vae", "gen", "digits"]) == 2
    captured = capsys.readouterr()
    assert "holds a model of another recipe" in captured.err and "--verifier" in captured.err
    assert "Training" not in captured.out


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
    assert recipe_of([model, "gen", data]).model == model.upper()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dcgan", "anom", "digits"], "dcgan cannot find a class left out of training"),
        (["vae", "anom", "digits", "--held-out", "12"], "Class 12 cannot be left out"),
        (
            ["vae", "anom", "digits", "--held-out", "-1"],
            "--held-out -1; expected a class, counted from 0",
        ),
        (["vae", "anom", "digits", "--drop-class", "3"], "leave out --drop-class"),
        (
            ["vae", "anom", "digits", "--held-out", "all", "--data-fraction", "0.05"],
            "Class 1 is shown by 0 of 18 images",
        ),
        (["vae", "anom", "digits", "--held-out", "eight"], "--held-out eight"),
        (["vae", "anom", "digits", "--held-out", "all", "--weights", "x"], "name its class"),
        (
            ["vae", "anom", "digits", "--score", "elbo"],
            "Argument --score: invalid choice: 'elbo' (choose from",
        ),
        (["ae", "anom", "digits", "--score", "negative_elbo"], "negative_elbo needs a VAE"),
        (["ae", "anom", "digits", "--score", "importance_nll"], "importance_nll needs a VAE"),
        (["vae", "anom", "digits", "--k", "0"], "--k 0; expected at least 1"),
        (["vae", "anom", "digits", "--k", "361"], "--k 361; there are 360 test images"),
        (["vae", "anom", "digits", "--data-fraction", "0.01"], "Class 8 is shown by 0 of 4 images"),
        (["vae", "anom", "polynomials"], "vae has no recipe 'vae_polynomials' for polynomials"),
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
