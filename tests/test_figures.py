"""The figures of a run: their documented units, the table of them, and whose they are."""

import json
import re
from pathlib import Path

import pytest

from common import zoo
from common.commands.figures import SETTING, UNITS, present, rounded, table
from common.commands.run_folder import RunFolder, write_figures

PAGE = Path(__file__).parents[1] / "docs" / "figures_schema.md"


def documented():
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \| (.+?) \| (.+) \|$", PAGE.read_text(), re.M)
    return {(section, key): unit for section, key, unit, _ in rows}


def test_the_page_has_every_figure_and_its_unit():
    known = {(part, key): unit for part, units in UNITS.items() for key, unit in units.items()}
    assert documented() == known
    assert set(UNITS) == {"model", "timing", *zoo.MODES}


def test_the_table_is_rounded_and_leaves_settings_out():
    sections = {
        "model": {"seed": 0, "test_mse": 0.046623534, "parameters": 667412},
        "gen": {"predictability": 0.97, "modes": 1000, "tolerance": 0.8, "own": 7.0},
    }
    assert table(sections, {}).splitlines() == [
        "                  this run  unit",
        "  test mse         0.04662  squared error per pixel",
        "  predictability      0.97  share of images",
        "  modes              1,000  classes",
        "  own                    7",
    ]


def test_what_was_published_stands_beside():
    lines = table(
        {"model": {"test_mse": 0.0378, "test_kl": 3.0}}, {"test_mse": 0.0388, "nll": "86 to 88"}
    ).splitlines()
    assert lines[0].split("  ")[-2:] == ["seed or published", "unit"]
    assert re.split("  +", lines[1].strip()) == [
        "test mse", "0.0378", "0.0388", "squared error per pixel"
    ]  # fmt: skip
    assert lines[2].split()[-4:] == ["3", "nats", "per", "image"]
    assert "86" not in "".join(lines)


def test_a_run_without_figures_has_no_table():
    assert table({"model": {"seed": 0}, "latent": {}}, {}) == ""
    assert UNITS["model"]["seed"] == SETTING


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.00045000000004, "0.00045"), (161.7264, "161.7"), (26000, "26,000"), (18040.4, "18,040"),
     ("all", "all"), (2, "2")],
)  # fmt: skip
def test_figures_are_rounded_to_four_digits(value, said):
    assert rounded(value) == said


def test_what_has_no_value_is_left_out():
    assert present({"a": None, "b": 0, "c": ""}) == {"b": 0, "c": ""}


def write(folder, sections, model=False):
    with folder.replacing() as staging:
        write_figures(staging / "metrics.json", sections)
        if model:
            (staging / "model.keras").touch()


def test_a_new_model_removes_the_figures_of_the_old(tmp_path):
    folder = RunFolder(tmp_path, {"seed": 0})
    write(folder, {"model": {"seed": 0}, "gen": {"modes": 10}}, model=True)
    assert folder.figures() == {"model": {"seed": 0}, "gen": {"modes": 10}}
    # Those of another file of weights, which leaves no model here.
    assert RunFolder(tmp_path, {"seed": 1}).figures() == {}
    write(folder, {"model": {"seed": 0}}, model=True)
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"model": {"seed": 0}}


def test_figures_without_sections_are_those_of_an_older_version(tmp_path):
    folder = RunFolder(tmp_path, {})
    write(folder, {"mode": "gen", "modes": 10})
    assert folder.figures() == {}
