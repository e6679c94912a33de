"""What the pictures of a run are called."""

from pathlib import Path

import pytest

from common.commands.config import RunConfig
from common.commands.recipe import Recipe
from common.commands.titles import title_of


@pytest.mark.parametrize(
    ("model", "mode", "given", "title"),
    [
        ("vae", "gen", {"epochs": 70}, "vae on digits, 70 epochs"),
        ("conv_vae", "latent", {"epochs": 1}, "conv_vae on digits, 1 epoch"),
        ("vae", "anom", {"epochs": 2, "held_out": "3"}, "vae on digits without 3, 2 epochs"),
    ],
)
def test_a_title_names_model_data_and_epochs(model, mode, given, title):
    config = RunConfig.of_options(model, mode, "digits", **given)
    assert title_of(config.recipe) == title


def test_a_title_names_weights_that_were_trained_elsewhere():
    recipe = Recipe.of_preset("vae_digits")
    assert title_of(recipe, Path("folder/mine.keras")) == "vae on digits, mine.keras"


def test_a_title_of_a_folder_and_of_a_model_without_a_name():
    folder = Recipe.of_preset("conv_vae_folder", "/somewhere/my cats", epochs=3)
    assert title_of(folder) == "conv_vae on my cats, 3 epochs"
    net = Recipe.of_preset("classifier_digits", epochs=3)
    assert title_of(net) == "ImageClassifier on digits, 3 epochs"
