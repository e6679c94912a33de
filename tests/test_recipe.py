"""Recipes: how long they train for the images at hand, and at which rate."""

import pytest

from common import presets
from common.commands.config import RunConfig
from common.commands.recipe import Recipe
from common.errors import InputError


@pytest.mark.parametrize(
    ("count", "updates"), [(2, 3000), (300, 3000), (2000, 3000), (50_000, 20_000)]
)
def test_folders_are_trained_by_updates(count, updates):
    recipe = Recipe.of_preset("conv_vae_folder", "/photos").for_images(count)
    steps = recipe.epochs * -(-count // recipe.batch_size)
    assert steps >= updates / 1.1
    # Of sets below a batch an epoch is one step of fewer images.
    assert recipe.epochs == pytest.approx(updates * recipe.batch_size / count, abs=0.5)
    assert recipe.updates is None


def test_a_wgan_sees_twice_as_many_images():
    gan, wgan = (Recipe.of_preset(f"{name}_folder", "/photos") for name in ("dcgan", "wgan"))
    assert wgan.for_images(2000).epochs == 2 * gan.for_images(2000).epochs


def test_given_epochs_count():
    recipe = Recipe.of_preset("conv_vae_folder", "/photos", epochs=7)
    assert recipe.for_images(300) == recipe and recipe.epochs == 7


def test_other_recipes_know_their_epochs():
    recipe = Recipe.of_preset("vae_mnist")
    assert recipe.for_images(300) == recipe and recipe.epochs == 30


def test_a_rate_replaces_the_presets():
    assert Recipe.of_preset("ae_mnist", lr=0.01).compile["optimizer"]["config"] == {
        "learning_rate": 0.01
    }
    given = presets.get("dcgan_mnist")["compile"]
    found = Recipe.of_preset("dcgan_mnist", lr=2e-3).compile
    for player, rate in (("generator", 2e-3), ("discriminator", 8e-4)):
        name = f"{player}_optimizer"
        assert found[name]["config"]["learning_rate"] == pytest.approx(rate)
        assert found[name]["config"]["beta_1"] == given[name]["config"]["beta_1"]
    assert found["cosine_decay"] is given["cosine_decay"]


def test_another_rate_is_another_folder():
    config = RunConfig.of_options("ae", "gen", "digits", lr=0.01)
    assert config.folder.name == "ae-digits-lr=0.01"


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), 11.0])
def test_rates_that_cannot_be(rate):
    with pytest.raises(InputError, match="Got --lr"):
        RunConfig.of_options("ae", "gen", "digits", lr=rate)


def test_a_misspelt_preset_has_neighbours():
    with pytest.raises(InputError, match=r"'vae_mnst' is unknown; nearest: vae_mnist,"):
        presets.get("vae_mnst")
    with pytest.raises(InputError, match=r"nearest: vae_mnist\.$"):
        presets.get("?")


def test_published_figures_are_of_the_presets_own_recipe():
    published = {"test_mse": 0.0388, "classifier_accuracy": 0.957}
    for given in ({}, {"seed": 3}, {"classifier": True}, {"precision": "auto"}):
        assert Recipe.of_preset("ae_mnist", **given).published() == published
    for given in ({"latent_dim": 16}, {"epochs": 1}, {"data_fraction": 0.5}, {"lr": 0.1}):
        assert Recipe.of_preset("ae_mnist", **given).published() == {}
    assert Recipe.of_preset("ae_mnist", "fashion").published() == {}
    assert Recipe.of_preset("conv_ae_mnist").published() == {}


@pytest.mark.parametrize(
    "compile_with",
    [{}, {"optimizer": "adam"}, {"optimizer": {"class_name": "Adam", "config": {}}}],
)
def test_a_preset_without_a_rate_takes_no_other(compile_with, monkeypatch):
    entry = presets.get("ae_digits") | {"compile": compile_with}
    monkeypatch.setitem(presets.PRESETS, "mine", entry)
    assert Recipe.of_preset("mine").compile == compile_with
    with pytest.raises(InputError, match="'mine' names no learning rate"):
        Recipe.of_preset("mine", lr=0.1)
