"""A folder of results of an earlier version, and of another recipe."""

import json
from pathlib import Path

import pytest

from common.commands.recipe import Recipe
from common.commands.run_folder import RunFolder, write_figures
from common.commands.train import origin_of


@pytest.fixture
def trained(tmp_path):
    """A folder with a model and its figures, whose origin lacks what recipes had not yet."""
    origin = origin_of(Recipe.of_preset("vae_digits"), content=None)
    assert origin.pop("updates") is None
    with RunFolder(tmp_path, origin).replacing() as staging:
        (staging / "model.keras").write_text("a model")
        write_figures(staging / "metrics.json", {"model": {"seed": 0}, "gen": {"modes": 10}})
    return tmp_path


def names_in(path: Path) -> set[str]:
    return {found.name for found in path.iterdir()}


def test_results_of_an_earlier_version_stay(trained):
    folder = RunFolder(trained, origin_of(Recipe.of_preset("vae_digits"), content=None))
    assert folder.trained_model() == trained / "model.keras" and not folder.has_other_results()
    assert folder.figures() == {"model": {"seed": 0}, "gen": {"modes": 10}}
    with folder.replacing() as staging:
        (staging / "samples.png").write_text("samples")
    assert names_in(trained) == {"model.keras", "metrics.json", "config.json", "samples.png"}
    assert json.loads((trained / "config.json").read_text())["updates"] is None


def test_results_of_another_recipe_go(trained):
    folder = RunFolder(trained, origin_of(Recipe.of_preset("vae_digits", seed=1), content=None))
    assert folder.has_other_results() and folder.figures() == {}
    with folder.replacing() as staging:
        (staging / "samples.png").write_text("samples")
    assert names_in(trained) == {"config.json", "samples.png"}
