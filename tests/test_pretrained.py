"""Models in folders and on the Hub, whose package is replaced by a folder here."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_models import MODELS

from common.errors import InputError
from common.models import DCGAN, VAE


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A Hub in a folder."""
    place = tmp_path / "hub"

    class Api:
        def create_repo(self, repo, exist_ok):
            (place / repo).mkdir(parents=True, exist_ok=exist_ok)

        def upload_folder(self, repo_id, folder_path):
            if not (place / repo_id).is_dir():
                raise ValueError("no such repository")
            shutil.copytree(folder_path, place / repo_id, dirs_exist_ok=True)

    def download(repo, name):
        if not (place / repo / name).exists():
            raise OSError(f"404: {repo}")
        return str(place / repo / name)

    fake = SimpleNamespace(HfApi=Api, hf_hub_download=download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", fake)
    return place


def test_a_published_model_comes_back(hub, tmp_path):
    model, z = MODELS["vae"](), np.ones((2, 4), "float32")
    picture = tmp_path / "samples.png"
    picture.write_bytes(b"a picture")
    model.push_to_hub(
        "me/vae", data="digits", licence="cc-by-4.0", figures={"test_mse": 0.0123456},
        picture=picture,
    )  # fmt: skip
    same = VAE.from_preset("hf://me/vae")
    z = z[:, : model.latent_dim]
    np.testing.assert_array_equal(same.decode(z), model.decode(z))
    same = VAE.from_preset(str(hub / "me" / "vae"))
    np.testing.assert_array_equal(same.decode(z), model.decode(z))
    card = (hub / "me" / "vae" / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-4.0\n")
    assert "trained on digits" in card and "| test mse | 0.01235 |" in card
    assert 'VAE.from_preset("hf://me/vae")' in card and "![What it draws](samples.png)" in card
    assert (hub / "me" / "vae" / "samples.png").read_bytes() == b"a picture"
    with pytest.raises(InputError, match="holds VAE, not DCGAN"):
        DCGAN.from_preset("hf://me/vae")
    with pytest.raises(InputError, match="leave out all other arguments"):
        VAE.from_preset("hf://me/vae", seed=1)


def test_what_the_hub_does_not_have_is_said(hub):
    with pytest.raises(InputError, match="could not be read from the Hugging Face Hub"):
        VAE.from_preset("hf://me/nothing")


def test_a_missing_package_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(InputError, match=r"\.\[hub\]"):
        VAE.from_preset("hf://me/vae")
    with pytest.raises(InputError, match=r"\.\[hub\]"):
        MODELS["ae"]().push_to_hub("me/ae", data="d", licence="mit", figures={})


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match=f"There is no file {Path(tmp_path, 'model.keras')}"):
        VAE.from_preset(str(tmp_path))


def test_shipped_weights_are_the_averages_in_half_precision(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "tools")
    from ship_weights import write

    gan = MODELS["dcgan"](ema_momentum=0.9)
    rng = np.random.default_rng(0)
    average = [w + rng.normal(0, 0.1, w.shape) for w in gan.ema_generator.get_weights()]
    gan.ema_generator.set_weights(average)
    write(gan, tmp_path / "gan.weights.h5")
    same = type(gan).from_config(gan.get_config())
    same.load_weights(tmp_path / "gan.weights.h5")
    for part in (same.generator, same.ema_generator):
        for mine, theirs in zip(part.get_weights(), average, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-3)
    for mine, theirs in zip(
        same.discriminator.get_weights(), gan.discriminator.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, theirs, atol=1e-3)
    np.testing.assert_allclose(same.sample(3, seed=0), gan.sample(3, seed=0), atol=2e-3)
