"""The commands that are not about a model and a mode."""

import json
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common import cli, presets, zoo
from common.commands.figures import UNITS
from common.datasets import DigitsData
from common.models import AE, VAE
from common.presets import shipped

ROOT = Path(__file__).parents[1]


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A preset of a small VAE whose weights come with the zoo, as if they did."""
    recipe = presets.preset(
        "VAE", "digits", "small", (1, 64), {}, image_shape=(28, 28, 1), latent_dim=2, widths=[4]
    )
    monkeypatch.setitem(presets.PRESETS, "vae_small", recipe)
    model = VAE.from_preset("vae_small", weights=None)
    model.save_weights(tmp_path / "vae_small.weights.h5")
    row = {
        "preset": "vae_small",
        "drop_class": None,
        "recipe": shipped.recipe_digest("vae_small"),
        "sha256": shipped.digest(tmp_path / "vae_small.weights.h5"),
        "command": "python main.py train vae_small",
        "machine": "a machine",
        "train_seconds": 200.0,
        "data_licence": "CC BY 4.0",
        "figures": {"model": {"test_mse": 0.0512, "epochs": 1}, "gen": {"predictability": 0.5}},
    }
    net = shipped.all_weights()["classifier_digits"]
    shutil.copy(net.path, tmp_path)
    rows = {"vae_small": row, net.name: {k: v for k, v in asdict(net).items() if k != "name"}}
    (tmp_path / "weights.json").write_text(json.dumps(rows))
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    monkeypatch.setattr(shipped, "MANIFEST", tmp_path / "weights.json")
    shipped.all_weights.cache_clear()
    yield model
    shipped.all_weights.cache_clear()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)


def run(*words):
    return cli.main([str(word) for word in words])


def test_weights_come_with_a_preset_unless_it_is_changed(small, capsys):
    z = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    np.testing.assert_array_equal(VAE.from_preset("vae_small").decode(z), small.decode(z))
    for changed in ({"weights": None}, {"seed": 3}, {"latent_dim": 2}):
        assert not np.allclose(VAE.from_preset("vae_small", **changed).decode(z), small.decode(z))
    # A recipe that has been changed since has no weights.
    presets.PRESETS["vae_small"]["fit"]["epochs"] = 2
    assert shipped.weights_of("vae_small") is None


def test_weights_that_have_changed_are_refused(small, capsys):
    shipped.all_weights()["vae_small"].path.write_bytes(b"other")
    assert run("sample", "vae_small") == 2
    assert "are not those it came with (sha256" in capsys.readouterr().err
    shipped.all_weights()["vae_small"].path.unlink()
    assert run("sample", "vae_small") == 2
    assert "cannot be read (No such file" in capsys.readouterr().err


def test_sample_draws_what_the_model_draws(small, capsys):
    assert run("sample", "vae_small", "--n", 5, "--seed", 3, "--output", "s/five.npz") == 0
    assert capsys.readouterr().out == "5 samples of vae_small, seed 3: s/five.npz\n"
    samples = np.load("s/five.npz")["samples"]
    assert samples.dtype == np.uint8
    np.testing.assert_array_equal(samples, np.round(255 * small.sample(5, seed=3)))
    assert run("sample", "vae_small") == 0 and Path("samples.png").exists()
    small.save("own.keras")
    assert run("sample", "own.keras", "--n", 5, "--seed", 3, "--output", "own.npz") == 0
    np.testing.assert_array_equal(np.load("own.npz")["samples"], samples)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["vae_smal"], "Preset 'vae_smal' is unknown; nearest: vae_small"),
        (["ae_mnist_seed"], "has no weights of ae_mnist_seed"),
        (["nothing.keras"], "There is no file nothing.keras"),
        (["vae_small", "-n", "0"], "Got --n 0; expected at least 1"),
        (["vae_small", "--output", "s.pdf"], "ends in .png or .npz"),
        ([], "required: PRESET"),
    ],
)
def test_what_cannot_be_sampled_is_refused(small, words, message, capsys):
    assert run("sample", *words) == 2
    assert message in capsys.readouterr().err


def test_an_autoencoder_has_no_samples(capsys):
    AE((8, 8, 1), 2, widths=[4]).save("ae.keras")
    assert run("sample", "ae.keras") == 2
    assert "learns no distribution to draw from" in capsys.readouterr().err


def test_list_names_everything(small, capsys):
    assert run("list") == 0
    said = capsys.readouterr().out
    assert all(f"  {name}" in said for name in (*zoo.MODELS, *presets.names()))
    row = next(line for line in said.splitlines() if line.startswith("  vae_small"))
    assert row.endswith("MB    3 min  test mse 0.0512, predictability 0.5")
    assert run("list", "datasets") == 0
    assert capsys.readouterr().out.startswith("Datasets\n")
    assert run("list", "weights") == 2
    assert "expected models, datasets, presets" in capsys.readouterr().err


def test_list_needs_no_keras():
    code = (
        "import sys\nfrom common.cli import main\nmain(['list'])\n"
        "assert not {'keras', 'tensorflow', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, capture_output=True)


def test_a_mode_takes_the_zoos_weights(small, capsys):
    assert run("vae", "latent", "digits", "--preset", "vae_small", "--output", "out") == 0
    said = capsys.readouterr().out
    assert "Loaded the zoo's weights of vae_small; --retrain trains them again." in said
    assert "Training" not in said
    figures = json.loads(Path("out", "metrics.json").read_text())["model"]
    assert figures["epochs"] == 1 and figures["seed"] == 0
    # The figures belong to these weights.
    assert json.loads(Path("out", "config.json").read_text())["zoo_weights"]
    # A changed recipe trains.
    words = ["--preset", "vae_small", "--batch-size", "32"]
    assert run("vae", "latent", "digits", *words, "--output", "other") == 0
    assert "Training vae_small" in capsys.readouterr().out


@pytest.mark.slow
def test_train_compares_with_the_zoos_figures(small, capsys):
    assert run("train", "vae_small", "--output", "out") == 0
    said = capsys.readouterr().out
    assert "Training vae_small" in said
    assert "test mse: " in said and ", expected 0.0512: " in said
    assert Path("out", "model.keras").exists()
    # What was trained here goes before what came with the zoo.
    words = ["vae", "latent", "digits", "--preset", "vae_small", "--output", "out"]
    assert run(*words) == 0
    assert "Loaded out/model.keras" in capsys.readouterr().out


def test_evaluate_judges_a_model_a_file_a_folder_and_arrays_alike(small, capsys):
    assert run("evaluate", "vae_small", "--samples", 200, "--output", "model.json") == 0
    said = capsys.readouterr().out
    assert "200 images beside 360 test images of digits, seen through classifier_digits" in said
    found = json.loads(Path("model.json").read_text())
    assert {"test_mse", "test_negative_elbo", "frechet_distance", "copies", "modes"} <= set(found)
    data = DigitsData()
    error = np.square(data.x_test / 255 - small.reconstruct(data.x_test)).mean()
    assert found["test_mse"]["value"] == pytest.approx(error)
    assert found["modes"]["protocol"]["samples"] == 200

    small.save("own.keras")
    samples = np.round(255 * small.sample(200, seed=0)).astype(np.uint8)
    np.savez("samples.npz", samples)
    Path("images").mkdir()
    for k, image in enumerate(samples):
        Image.fromarray(image[..., 0]).save(Path("images", f"{k:03}.png"))
    for what, options in (("own.keras", ["--samples", 200]), ("samples.npz", []), ("images", [])):
        assert run("evaluate", what, "digits", *options, "--output", "other.json") == 0
        other = json.loads(Path("other.json").read_text())
        for name in ("frechet_distance", "kernel_distance", "precision", "predictability"):
            # 8 bits, and the order of the folder's images, change nothing beyond rounding.
            expected = pytest.approx(found[name]["value"], rel=0.02, abs=0.011)
            assert other[name]["value"] == expected, (what, name)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["samples.npz"], "does not say what its images are to be compared with"),
        (["nothing.npz", "digits"], "nothing.npz"),
        (["vae_smal", "digits"], "nearest: vae_small"),
        (["two.npz", "digits"], "it has no array samples, but a, b"),
        (["wide.npz", "digits"], r"samples are (28, 30, 1) and the real images (28, 28, 1)"),
        (["few.npz", "digits"], "give more images"),
        (["empty", "digits"], "hold no images"),
        (["vae_small", "mars"], "no dataset 'mars'"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(small, words, message, capsys):
    np.savez("two.npz", a=np.zeros(3), b=np.zeros(3))
    np.savez("wide.npz", np.zeros((9, 28, 30, 1)))
    np.savez("few.npz", np.zeros((9, 28, 28, 1)))
    Path("empty").mkdir()
    assert run("evaluate", *words) == 2
    assert message in capsys.readouterr().err


def test_every_row_of_the_manifest_is_whole():
    """Each file is there with its digest, of a recipe that has not changed, and all are small."""
    rows = shipped.all_weights()
    files = {path.name for path in shipped.FOLDER.glob("*.h5")}
    assert files == {row.path.name for row in rows.values()}
    for row in rows.values():
        assert row.checked() == row.path
        assert row.recipe == shipped.recipe_digest(row.preset), row.name
        assert row.command == f"python main.py train {row.preset}" and row.machine
        for section, figures in row.figures.items():
            assert set(figures) <= set(UNITS[section]), row.name
    assert sum(row.path.stat().st_size for row in rows.values()) <= 40e6
