"""The command line: what it makes, when it trains and when it loads, and what it refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from common import cli, datasets, plots, presets
from common.commands.config import RunConfig
from common.commands.figures import UNITS
from common.commands.run_folder import RunFolder
from common.errors import InputError
from common.evaluation.likelihood import importance_weighted_nll
from common.evaluation.modes import kl_floor, kl_to_uniform
from common.models import DCGAN, VAE, ImageClassifier

QUICK = ["--epochs", "2", "--data-fraction", "0.1"]
OF_MODEL = {
    "seed", "epochs", "parameters", "backend", "precision", "device", "test_mse",
    "test_reconstruction",
}  # fmt: skip
OF_VAES = OF_MODEL | {"test_negative_elbo", "test_kl"}
JUDGED = ("predictability", "class_coverage")
OF_SAMPLES = {
    "predictability", "class_coverage", "tolerance", "modes", "modes_kl", "modes_kl_floor",
    "modes_kl_to_data", "modes_kl_to_data_floor", "samples",
}  # fmt: skip
ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, without_xla, verifier):
    """The results of one short training of a VAE."""
    result = tmp_path_factory.mktemp("results") / "vae"
    words = ["--classifier", *QUICK, "--verifier", str(verifier), "--output", str(result)]
    assert cli.main(["vae", "gen", "digits", *words]) == 0
    return result


@pytest.fixture
def place(folder, tmp_path):
    """A copy of those results, to be changed."""
    return shutil.copytree(folder, tmp_path / "copy")


@pytest.fixture
def run_again(verifier):
    def run_again(folder, *options, mode="gen", model="vae"):
        words = ["--output", str(folder)]
        if mode in ("basic", "gen"):
            words += ["--verifier", str(verifier)]
        return cli.main([model, mode, "digits", *words, *options])

    return run_again


def metrics_of(folder):
    """The sections of a run's figures, each of which `docs/figures_schema.md` documents."""
    sections = json.loads((folder / "metrics.json").read_text())
    for section, figures in sections.items():
        assert set(figures) <= set(UNITS[section])
        assert None not in figures.values()
    return sections


def judged(images, verifier):
    """Classes and beliefs of single images, by the net itself."""
    beliefs = ImageClassifier.load(verifier).classify(images)
    return beliefs.argmax(axis=1), beliefs.max(axis=1)


def test_a_run_leaves_pictures_and_figures(folder):
    for name in ("samples.png", "manifold.png", "modes.png", "losses.png", "training.gif"):
        with Image.open(folder / name) as image:
            assert min(image.size) > 100, name
    sections = metrics_of(folder)
    assert set(sections) == {"model", "gen"}
    metrics = sections["model"]
    assert set(metrics) == OF_VAES | {"classifier_accuracy"}
    assert set(sections["gen"]) == OF_SAMPLES | {f"{name}_of_code_mixture" for name in JUDGED}
    total = metrics["test_reconstruction"] + metrics["test_kl"]
    assert metrics["test_negative_elbo"] == pytest.approx(total)
    assert 0 <= metrics["classifier_accuracy"] <= 1 and 0 < metrics["test_mse"] < 1
    model = VAE.load(folder / "model.keras")
    assert metrics["epochs"] == 2 and model.num_classes == 10
    assert metrics["parameters"] == sum(w.size for w in model.get_weights() if w.ndim)
    history = pd.read_csv(folder / "history.csv")
    assert list(history["epoch"]) == [1, 2] and "test_kl_loss" in history
    assert not list(folder.glob(".partial*"))


def test_samples_are_judged_by_the_net(folder, verifier):
    metrics = metrics_of(folder)["gen"]
    samples = VAE.load(folder / "model.keras").sample(metrics["samples"], seed=0)
    classes, beliefs = judged(samples, verifier)
    counts = np.bincount(classes, minlength=10)
    assert metrics["tolerance"] == 0.8 and metrics["samples"] == 10_000
    assert metrics["predictability"] == pytest.approx((beliefs >= 0.8).mean())
    assert metrics["class_coverage"] == len(set(classes[beliefs >= 0.8])) / 10
    assert metrics["modes"] == np.count_nonzero(counts)
    assert metrics["modes_kl"] == pytest.approx(kl_to_uniform(counts))
    assert metrics["modes_kl_floor"] == kl_floor(10, 10_000)


def test_the_same_recipe_is_loaded_and_another_trained(place, run_again, verifier, capsys):
    written = (place / "model.keras").stat().st_mtime_ns
    before = metrics_of(place)
    options = ("--classifier", *QUICK)
    assert run_again(place, *options, "--tolerance", "0.3", mode="basic") == 0
    said = capsys.readouterr().out
    assert "Loaded" in said
    # This run's pictures and figures only.
    assert f"Pictures in {place}: reconstructions.png, latent.png\n" in said
    assert "class coverage" not in said and "train seconds" not in said
    assert (place / "model.keras").stat().st_mtime_ns == written
    assert {"reconstructions.png", "latent.png", "samples.png"} <= {p.name for p in place.iterdir()}
    metrics = metrics_of(place)["basic"]
    assert set(metrics) == {"predictability", "accuracy", "tolerance"}
    # The figures of the other mode and of the model are those they were.
    assert {**before, "basic": metrics} == metrics_of(place)
    data = datasets.load("digits", data_fraction=0.1)
    reconstructed = VAE.load(place / "model.keras").reconstruct(data.x_test)
    classes, beliefs = judged(reconstructed, verifier)
    right = (beliefs >= 0.3) & (classes == data.y_test)
    assert metrics["predictability"] == pytest.approx((beliefs >= 0.3).mean())
    assert metrics["accuracy"] == pytest.approx(right.mean())


def test_a_recipe_that_differs_has_a_folder_of_its_own(tmp_path, monkeypatch):
    def folder_of(*options, model="vae", mode="gen", data="digits"):
        words = cli.parser().parse_args([model, mode, data, *options])
        return RunConfig.of_options(**vars(words)).folder.as_posix()

    assert folder_of() == "results/vae-digits"
    # What the preset has already, and what only this run measures, are no difference.
    assert folder_of("--epochs", "70", "--tolerance", "0.5") == "results/vae-digits"
    assert folder_of("--latent-dim", "16") == "results/vae-digits-latent_dim=16"
    assert folder_of("--classifier", "--seed", "1") == "results/vae-digits-classifier-seed=1"
    assert folder_of("--preset", "vae_mnist_seed", data="mnist") == (
        "results/vae-mono-preset=vae_mnist_seed"
    )
    assert folder_of(mode="anom") == "results/vae-digits-without-8"
    assert folder_of("--code", "map", model="conv_ae") == "results/conv_ae-digits-code=map"
    many = ["--beta", "2", "--batch-size", "3", "--data-fraction", "0.5", "--classifier"]
    long = [folder_of(*many, "--precision", "mixed_bfloat16", "--seed", s) for s in "12"]
    assert all(len(path) < 90 for path in long) and long[0] != long[1]


def test_a_folder_with_another_recipe_is_refused(place, run_again, capsys):
    results = {path.name: path.read_bytes() for path in place.iterdir()}
    options = ("--classifier", *QUICK)
    assert run_again(place, *options, "--seed", "1", mode="latent") == 2
    said = capsys.readouterr().err
    assert "holds a model of another recipe (seed)" in said
    assert "--output" in said and "--retrain" in said
    assert {path.name: path.read_bytes() for path in place.iterdir()} == results
    assert run_again(place, *options, "--seed", "1", "--retrain", mode="latent") == 0
    assert "Training vae_digits" in capsys.readouterr().out
    assert json.loads((place / "config.json").read_text())["seed"] == 1


def test_the_likelihood_is_estimated_where_it_is_asked_for(place, run_again):
    options = ("--classifier", *QUICK, "--nll-samples", "30")
    assert run_again(place, *options, mode="basic") == 0
    metrics = metrics_of(place)["model"]
    assert metrics["nll_samples"] == 30
    model = VAE.load(place / "model.keras")
    images = datasets.load("digits", data_fraction=0.1).x_test / np.float32(255)
    nll = importance_weighted_nll(images, model.posterior, model.log_likelihood, 30)
    assert metrics["nll"] == pytest.approx(nll.mean(), 1e-5)
    assert metrics["nll"] < metrics["test_negative_elbo"]
    # It stays where a later run does not ask for it.
    assert run_again(place, "--classifier", *QUICK, mode="latent") == 0
    assert metrics_of(place)["model"]["nll"] == metrics["nll"]


@pytest.mark.slow
def test_pictures_of_another_model_go_and_ones_own_files_stay(place, run_again):
    (place / "mine.png").write_bytes(b"of somebody")
    assert (place / "manifold.png").exists()
    words = ("--latent-dim", "3", "--epochs", "1", "--retrain")
    assert run_again(place, *words, mode="basic") == 0
    names = {path.name for path in place.iterdir()}
    assert not {"manifold.png", "samples.png", "modes.png"} & names
    assert {"mine.png", "reconstructions.png", "model.keras", "losses.png"} <= names
    files = set(json.loads((place / "config.json").read_text())["files"])
    assert files == names - {"mine.png", "config.json"}


def test_a_changed_preset_is_another_recipe(place, run_again, monkeypatch, capsys):
    preset = presets.get("vae_digits")
    preset["arguments"]["widths"] = [8]
    monkeypatch.setitem(presets.PRESETS, "vae_digits", preset)
    assert run_again(place, "--classifier", *QUICK, mode="latent") == 2
    assert "holds a model of another recipe (widths)" in capsys.readouterr().err


def test_a_model_that_cannot_be_read_is_not_lost(place, run_again, capsys):
    (place / "model.keras").write_bytes(b"half of it")
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert run_again(place, "--classifier", *QUICK) == 2
    assert "could not be read" in (said := capsys.readouterr().err) and "--retrain" in said
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


@pytest.mark.slow
def test_weights_of_a_file_are_used_without_training(folder, run_again, tmp_path, capsys):
    model = folder / "model.keras"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert run_again(tmp_path, "--weights", str(model), mode="latent") == 0
    assert "Loaded" in capsys.readouterr().out
    assert not {"model.keras", "history.csv"} & {path.name for path in tmp_path.iterdir()}
    metrics = metrics_of(tmp_path)
    assert set(metrics) == {"model", "latent"} and metrics["latent"] == {}
    known = OF_VAES | {"classifier_accuracy"}
    assert set(metrics["model"]) == known - {"seed", "epochs"}
    assert not (tmp_path / "timing.json").exists()
    assert metrics["model"]["parameters"] == metrics_of(folder)["model"]["parameters"]
    assert json.loads((tmp_path / "config.json").read_text())["weights"] == str(model)
    assert run_again(folder, "--weights", str(model)) == 2
    assert "holds a trained model" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert run_again(tmp_path, "--weights", str(model), model="ae") == 2
    assert "holds VAE, not AE" in capsys.readouterr().err
    assert run_again(tmp_path, "--weights", str(tmp_path / "none.keras")) == 2
    assert "no file" in capsys.readouterr().err
    assert run_again(tmp_path, "--weights", str(model), model="dcgan") == 2
    assert "holds VAE, not DCGAN" in capsys.readouterr().err


@pytest.mark.slow
def test_a_failure_while_training_leaves_the_old_results(folder, run_again, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(plots, "loss_curves", full)
    assert run_again(folder, *QUICK, "--retrain") == 2
    assert (folder / "backup" / "training.npz").exists()  # What was trained is not lost.
    shutil.rmtree(folder / "backup")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.slow
def test_a_failure_after_training_does_not_lose_the_model(place, run_again, monkeypatch, capsys):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(plots, "image_grid", full)
        assert run_again(place, *QUICK, "--seed", "3", "--retrain") == 2
    names = {path.name for path in place.iterdir()}
    assert names == {
        "config.json", "history.csv", "losses.png", "metrics.json", "model.keras", "timing.json",
        "training.gif",
    }  # fmt: skip
    assert run_again(place, *QUICK, "--seed", "3") == 0
    assert "Loaded" in capsys.readouterr().out
    assert (place / "samples.png").exists() and metrics_of(place)["model"]["epochs"] == 2


@pytest.mark.parametrize("damage", ['{"files": [', "{}", None])
def test_results_that_a_kill_left_damaged_do_not_block_the_folder(tmp_path, damage):
    ready = tmp_path / ".ready"
    ready.mkdir()
    (ready / "model.keras").touch()
    if damage is not None:
        (ready / "config.json").write_text(damage)
    with RunFolder(tmp_path, {}).in_use():
        assert not ready.exists()


def test_a_config_of_another_format_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"format": "3"}')
    (tmp_path / "model.keras").touch()
    with pytest.raises(InputError, match="newer version"):
        RunFolder(tmp_path, {}).trained_model()


def test_the_same_command_gives_the_same_figures_to_the_last_bit(folder, run_again, tmp_path):
    assert run_again(tmp_path, "--classifier", *QUICK) == 0
    for name in ("metrics.json", "history.csv", "samples.png"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name
    assert set(json.loads((folder / "timing.json").read_text())) == {
        "train_seconds", "images_per_second"
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        '["a"]', '{"files": ["../mine.txt", 3]}', '{"files": "mine"}', '{"files": [".."]}',
        '{"files": ["thesis.txt"]}',
    ],
)  # fmt: skip
def test_a_foreign_config_is_no_list_of_files_to_remove(tmp_path, content):
    (tmp_path / "mine.txt").write_text("of somebody")
    place = tmp_path / "results"
    place.mkdir()
    (place / "thesis.txt").write_text("of somebody")
    (place / "config.json").write_text(content)
    with RunFolder(place, {"recipe": 1}).replacing() as staging:
        (staging / "model.keras").touch()
    assert (tmp_path / "mine.txt").exists() and (place / "model.keras").exists()
    assert (place / "thesis.txt").exists()


def test_the_machine_may_choose_the_precision_and_a_training_be_traced(run_again, tmp_path, capsys):
    options = ["--precision", "auto", "--profile", str(tmp_path / "trace")]
    assert run_again(tmp_path / "r", *QUICK, *options, mode="latent") == 0
    assert "Precision float32: on a CPU dense networks" in capsys.readouterr().out
    assert metrics_of(tmp_path / "r")["model"]["precision"] == "float32"
    assert any(path.is_file() for path in (tmp_path / "trace").rglob("*"))
    assert run_again(tmp_path / "r", *QUICK, *options, mode="latent") == 2
    assert "add --retrain" in capsys.readouterr().err


def test_ctrl_c_keeps_the_model_and_the_old_results(folder, run_again, monkeypatch, capsys):
    metrics = (folder / "metrics.json").read_bytes()

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(VAE, "fit", interrupted)
    assert run_again(folder, *QUICK, "--retrain", "--seed", "2") == 130
    assert "--weights" in capsys.readouterr().err
    assert isinstance(VAE.load(folder / "interrupted.keras"), VAE)
    assert (folder / "metrics.json").read_bytes() == metrics


@pytest.mark.slow
def test_an_autoencoder_samples_from_a_mixture(run_again, tmp_path):
    assert run_again(tmp_path, *QUICK, model="ae") == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert {"samples.png", "samples_of_random_codes.png", "manifold.png", "modes.png"} <= names
    metrics = metrics_of(tmp_path)
    plain = {f"{name}_of_random_codes" for name in JUDGED}
    assert set(metrics["model"]) == OF_MODEL and set(metrics["gen"]) == OF_SAMPLES | plain


def test_a_gan_generates(run_again, tmp_path, capsys, monkeypatch):
    preset = presets.get("dcgan_digits")
    preset["arguments"]["width"] = 0.05
    monkeypatch.setitem(presets.PRESETS, "dcgan_digits", preset)
    assert run_again(tmp_path, *QUICK, "--batch-size", "32", "--pack", "2", model="dcgan") == 0
    said = capsys.readouterr().out
    assert "D(real)" in said and "usually helps" not in said.split("Pictures")[0]
    assert said.count("of 10 modes in 1,000 samples") == 2 and "After epoch 1:" in said
    pictures = {
        "samples.png", "originals_and_samples.png", "nearest.png", "training.gif", "losses.png",
        "modes.png", "modes_over_training.png",
    }  # fmt: skip
    assert pictures <= {path.name for path in tmp_path.iterdir()}
    assert set(metrics_of(tmp_path)["gen"]) == OF_SAMPLES
    assert DCGAN.load(tmp_path / "model.keras").pack == 2


@pytest.mark.slow
def test_the_verification_net_is_trained_once_and_then_loaded(
    folder, tmp_path, monkeypatch, capsys
):
    preset = presets.get("classifier_digits")
    preset["arguments"]["width"], preset["fit"]["epochs"] = 1 / 16, 1
    monkeypatch.setitem(presets.PRESETS, "classifier_digits", preset)
    monkeypatch.chdir(tmp_path)
    words = ["vae", "basic", "digits", "--weights", str(folder / "model.keras"), "--output"]
    assert cli.main([*words, str(tmp_path / "first")]) == 0
    place = Path("results", "classifier-digits")
    said = capsys.readouterr().out
    # Pictures do not wait for their judge.
    picture, training, end = (
        said.index(words)
        for words in ("first: reconstructions.png", "Training classifier_digits", "predictability")
    )
    assert picture < training < end and f"kept in {place}" in said
    net = ImageClassifier.load(place / "model.keras")
    data = datasets.load("digits")
    accuracy = (net.classify(data.x_test).argmax(axis=1) == data.y_test).mean()
    assert metrics_of(place)["model"]["test_accuracy"] == pytest.approx(accuracy)

    written = (place / "model.keras").stat().st_mtime_ns
    assert cli.main([*words, str(tmp_path / "second")]) == 0
    assert "classifier_digits" not in capsys.readouterr().out
    assert (place / "model.keras").stat().st_mtime_ns == written
    first, second = (metrics_of(tmp_path / name) for name in ("first", "second"))
    assert first["basic"] == second["basic"]


@pytest.mark.slow
def test_nothing_but_the_programs_own_lines_on_the_terminal(tmp_path):
    """No remarks of TensorFlow, absl, oneDNN, CUDA or XLA."""
    words = ["ae", "latent", "digits", *QUICK, "--output", str(tmp_path / "results")]
    quiet = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    ran = subprocess.run(
        [sys.executable, ROOT / "main.py", *words],
        env=quiet, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stderr == ""
    assert ran.stdout.splitlines()[0].startswith("Training ae_digits")


def test_help_answers_without_keras():
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
