"""The command line on a folder of one's own pictures: every model, every mode, from disk."""

import json
import shutil

import numpy as np
import pytest
from made_photographs import put_cars, put_celeba, put_cifar10
from PIL import Image

from common import cli, presets
from common.models import AE

SIDE = 16
QUICK = ["--size", str(SIDE), "--epochs", "1", "--batch-size", "8"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty pictures of two colours, above and below a height that differs."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    for number in range(60):
        picture = np.full((24, 20, 3), rng.integers(0, 256, 3), np.uint8)
        picture[rng.integers(6, 18) :] = rng.integers(0, 256, 3)
        Image.fromarray(picture).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def thin(monkeypatch, name, **arguments):
    preset = presets.get(name)
    preset["arguments"] |= arguments
    monkeypatch.setitem(presets.PRESETS, name, preset)


def pictures(path):
    return {picture.name for picture in path.glob("*.png")} | {p.name for p in path.glob("*.gif")}


@pytest.mark.parametrize(
    ("model", "code"),
    [
        pytest.param("conv_ae", "map", marks=pytest.mark.slow),
        pytest.param("conv_ae", "vector", marks=pytest.mark.slow),
        pytest.param("conv_vae", "map", marks=pytest.mark.slow),
        pytest.param("conv_vae", "vector", marks=pytest.mark.slow),
    ],
)
def test_every_mode_of_the_convolutional_autoencoders(model, code, folder, tmp_path, monkeypatch):
    suffix = "_map" if code == "map" else ""
    thin(monkeypatch, f"{model}_folder{suffix}", widths=[4, 4], latent_dim=3)
    out = tmp_path / "out"
    words = [str(folder), "--code", code, "--output", str(out), *QUICK]
    expected = {"prepared.png", "losses.png", "training.gif"}
    for mode, drawn in (
        ("basic", {"reconstructions.png"}),
        ("gen", {"samples.png", "nearest.png"}),
        ("latent", {"tsne.png", "traversals.png", "interpolation.png"}),
    ):
        assert cli.main([model, mode, *words]) == 0
        expected |= drawn
        if mode == "gen":
            others = "random_codes" if model == "conv_ae" else "code_mixture"
            expected.add(f"samples_of_{others}.png")
        assert pictures(out) == expected
        figures = json.loads((out / "metrics.json").read_text())
        assert mode in figures and 0 < figures["model"]["test_mse"] < 1
    config = json.loads((out / "config.json").read_text())
    assert config["data_options"]["size"] == SIDE


@pytest.mark.slow
def test_a_model_of_pictures_that_have_changed_is_refused(folder, tmp_path, monkeypatch, capsys):
    thin(monkeypatch, "ae_digits", widths=[4])
    mine = shutil.copytree(folder, tmp_path / "mine")
    words = ["ae", "basic", str(mine), "--preset", "ae_digits", *QUICK]
    words += ["--output", str(tmp_path / "out")]
    for said in ("Training ae_digits", "Loaded "):
        assert cli.main(words) == 0
        assert said in capsys.readouterr().out
    (mine / "00.png").unlink()
    assert cli.main(words) == 2
    assert "a model of other data files under the same path" in capsys.readouterr().err
    assert cli.main([*words, "--retrain"]) == 0
    assert "Training ae_digits" in capsys.readouterr().out


@pytest.mark.parametrize(
    "model",
    [
        "dcgan",
        pytest.param("lsgan", marks=pytest.mark.slow),
        pytest.param("wgan", marks=pytest.mark.slow),
    ],
)
def test_the_gans(model, folder, tmp_path, monkeypatch):
    thin(monkeypatch, f"{model}_folder", width=1 / 16, latent_dim=4)
    out = tmp_path / "out"
    options = ["--output", str(out), *QUICK, "--batch-size", "4", "--channels", "1"]
    assert cli.main([model, "gen", str(folder), "--fit", "pad", *options]) == 0
    assert pictures(out) == {
        "samples.png", "originals_and_samples.png", "nearest.png", "losses.png", "training.gif",
        "prepared.png",
    }  # fmt: skip
    config = json.loads((out / "config.json").read_text())
    assert config["data_options"] == {
        "size": SIDE, "channels": 1, "fit": "pad", "data_fraction": 1.0
    }  # fmt: skip


def test_a_folder_is_shown_before_it_is_learned_from(folder, tmp_path, monkeypatch, capsys):
    """The recipe counts batches, whatever the number of pictures."""
    preset = presets.get("conv_ae_folder")
    preset["arguments"] |= {"widths": [4, 4], "latent_dim": 3}
    preset["fit"] = {"updates": ((0, 21), (1000, 1)), "batch_size": 8}
    monkeypatch.setitem(presets.PRESETS, "conv_ae_folder", preset)
    fit, seen = AE.fit, []

    def watched(model, *arguments, **options):
        seen.append((options["epochs"], (tmp_path / "prepared.png").exists()))
        return fit(model, *arguments, **options)

    monkeypatch.setattr(AE, "fit", watched)
    words = ["conv_ae", "basic", str(folder), "--size", str(SIDE), "--output", str(tmp_path)]
    with pytest.warns(UserWarning, match=r"54 training pictures are few: .* about 300"):
        assert cli.main(words) == 0
    assert seen == [(3, True)]
    assert "prepared pictures are in" in capsys.readouterr().out
    assert cli.main(words) == 0
    assert len(seen) == 1 and "Loaded" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "put"), [("cifar10", put_cifar10), ("celeba", put_celeba), ("cars", put_cars)]
)
def test_the_published_photographs(data, put, tmp_path, monkeypatch):
    thin(monkeypatch, f"dcgan_{data}", width=1 / 16, latent_dim=4)
    thin(monkeypatch, f"conv_vae_{data}_map", widths=[4, 4], latent_dim=3)
    words = [data, "--data-dir", str(put(tmp_path / "data")), "--epochs", "1", "--batch-size", "8"]
    for model, mode, drawn in (
        ("dcgan", "gen", {"samples.png", "originals_and_samples.png", "nearest.png"}),
        ("conv_vae", "latent", {"tsne.png", "traversals.png", "interpolation.png"}),
    ):
        out = tmp_path / model
        code = ["--code", "map"] if model == "conv_vae" else []
        assert cli.main([model, mode, *words, *code, "--output", str(out)]) == 0
        assert pictures(out) == drawn | {"losses.png", "training.gif"}


def test_an_autoencoder_of_one_image_draws_no_samples(folder, tmp_path, capsys):
    (tmp_path / "two").mkdir()
    for name in ("00.png", "01.png"):
        shutil.copy(folder / name, tmp_path / "two")
    out = tmp_path / "out"
    words = [str(tmp_path / "two"), "--output", str(out), "--size", str(SIDE)]
    assert cli.main(["conv_ae", "gen", *words]) == 2
    assert "Got one training image; gen fits a distribution" in capsys.readouterr().err
    assert not out.exists()
