"""The command line: what it makes, when it trains and when it loads, and what it refuses."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from common import cli, plots
from common.models import DCGAN, VAE

QUICK = ["--epochs", "2", "--data-fraction", "0.1"]
METRICS = {
    "test_mse", "test_negative_elbo", "test_reconstruction", "test_kl", "classifier_accuracy",
    "train_seconds", "images_per_second", "parameters", "seed", "backend", "precision", "device",
    "epochs",
}  # fmt: skip
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results of one short training of a VAE."""
    result = tmp_path_factory.mktemp("results") / "vae"
    assert cli.main(["vae", "gen", "digits", "--classifier", *QUICK, "--output", str(result)]) == 0
    return result


def run_again(folder, *options, mode="gen", model="vae"):
    return cli.main([model, mode, "digits", *options, "--output", str(folder)])


def test_a_run_leaves_pictures_and_figures(folder):
    for name in ("samples.png", "manifold.png", "losses.png", "training.gif"):
        with Image.open(folder / name) as image:
            assert min(image.size) > 100, name
    metrics = json.loads((folder / "metrics.json").read_text())
    assert set(metrics) == METRICS
    total = metrics["test_reconstruction"] + metrics["test_kl"]
    assert metrics["test_negative_elbo"] == pytest.approx(total)
    assert 0 <= metrics["classifier_accuracy"] <= 1 and 0 < metrics["test_mse"] < 1
    model = VAE.load(folder / "model.keras")
    assert metrics["epochs"] == 2 and model.num_classes == 10
    assert metrics["parameters"] == sum(w.size for w in model.get_weights() if w.ndim)
    history = pd.read_csv(folder / "history.csv")
    assert list(history["epoch"]) == [1, 2] and "val_kl_loss" in history
    assert not list(folder.glob(".partial*"))


def test_the_same_recipe_is_loaded_and_another_trained(folder, capsys):
    written = (folder / "model.keras").stat().st_mtime_ns
    assert run_again(folder, "--classifier", *QUICK, mode="basic") == 0
    assert "Loaded" in capsys.readouterr().out
    assert (folder / "model.keras").stat().st_mtime_ns == written
    assert {"reconstructions.png", "latent.png", "samples.png"} <= {
        p.name for p in folder.iterdir()
    }
    assert json.loads((folder / "metrics.json").read_text())["train_seconds"] > 0
    assert run_again(folder, "--classifier", *QUICK, "--seed", "1") == 0
    assert "Training vae_digits" in capsys.readouterr().out
    assert (folder / "model.keras").stat().st_mtime_ns > written


def test_weights_of_a_file_are_used_without_training(folder, tmp_path, capsys):
    model = folder / "model.keras"
    assert run_again(tmp_path, "--weights", str(model), "--classifier") == 0
    assert "Loaded" in capsys.readouterr().out
    assert run_again(tmp_path, "--weights", str(tmp_path / "none.keras")) == 2
    assert "no file" in capsys.readouterr().err
    assert run_again(tmp_path, "--weights", str(model), model="dcgan") == 2
    assert "holds a VAE, not a DCGAN" in capsys.readouterr().err


def test_a_failure_while_drawing_leaves_the_old_results(folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plots, "image_grid", full)
    assert run_again(folder, *QUICK, "--retrain") == 2
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_ctrl_c_keeps_the_model_and_the_old_results(folder, monkeypatch, capsys):
    metrics = (folder / "metrics.json").read_bytes()

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(VAE, "fit", interrupted)
    assert run_again(folder, *QUICK, "--retrain", "--seed", "2") == 130
    assert "--weights" in capsys.readouterr().err
    assert isinstance(VAE.load(folder / "interrupted.keras"), VAE)
    assert (folder / "metrics.json").read_bytes() == metrics


def test_an_autoencoder_samples_from_a_mixture(tmp_path):
    assert cli.main(["ae", "gen", "digits", *QUICK, "--output", str(tmp_path)]) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"samples.png", "samples_of_random_codes.png", "manifold.png"} <= names
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["test_kl"] is None and metrics["test_negative_elbo"] is None


def test_a_gan_generates(tmp_path, capsys, monkeypatch):
    thin = {"width": 0.05}
    build = DCGAN.from_preset.__func__
    monkeypatch.setattr(
        DCGAN,
        "from_preset",
        classmethod(lambda cls, name, **given: build(cls, name, **given, **thin)),
    )
    assert (
        cli.main(
            ["dcgan", "gen", "digits", *QUICK, "--batch-size", "32", "--output", str(tmp_path)]
        )
        == 0
    )
    assert "D(real)" in capsys.readouterr().out
    names = {path.name for path in tmp_path.iterdir()}
    assert {"samples.png", "originals_and_samples.png", "training.gif", "losses.png"} <= names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gan", "gen"], "MODEL 'gan' is unknown; choose from ae"),
        (["vae", "draw"], "MODE 'draw' is unknown; choose from basic"),
        (["vae", "gen", "cats"], "DATA 'cats' is unknown; choose from mono"),
        (["wgan", "basic"], "has no encoder"),
        (["ae", "gen", "--beta", "2"], "--beta"),
        (["dcgan", "gen", "--classifier"], "Use ae or vae"),
        (["vae", "gen", "--preset", "vae_moon"], "Preset 'vae_moon' is unknown"),
        (["vae", "gen", "digits", "--preset", "ae_digits"], "is a AE, not a VAE"),
        (["vae", "gen", "polynomials"], "no recipe of vae for polynomials"),
        (["vae", "gen", "digits", "--latent-dim", "0"], "at least 1"),
        (["vae", "gen", "digits", "--epochs", "0"], "--epochs 0"),
        (["vae", "gen", "digits", "--data-fraction", "2"], "outside (0, 1]"),
    ],
)
def test_unusable_words_are_refused_in_a_sentence(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(words) == 2
    captured = capsys.readouterr()
    assert message in captured.err and "Traceback" not in captured.err
    assert "Epoch" not in captured.out


def test_a_folder_that_cannot_be_written_is_refused_before_training(tmp_path, capsys):
    (tmp_path / "file").write_text("in the way")
    assert run_again(tmp_path / "file") == 2
    captured = capsys.readouterr()
    assert "cannot be written" in captured.err and "Training" not in captured.out


def test_help_answers_without_keras():
    started = time.perf_counter()
    code = (
        "import sys; sys.argv=['main.py','--help']\n"
        "from common.cli import parser; parser().format_help()\n"
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules), 'slow imports'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    helped = subprocess.run(
        [sys.executable, "main.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "python main.py vae gen digits" in " ".join(helped.stdout.split())
    assert time.perf_counter() - started < 10
