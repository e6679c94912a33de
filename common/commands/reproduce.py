"""`train PRESET`: train as the zoo's weights were trained, and compare the figures."""

import json
from collections.abc import Iterator
from pathlib import Path

from common import presets, zoo
from common.commands.config import RunConfig
from common.commands.figures import SETTING, UNITS, rounded
from common.commands.run import run as run_config
from common.commands.verifier import OwnNet
from common.presets.shipped import Weights, weights_of

# How far a figure of another machine or backend may be from the zoo's.
SHARE, SLACK = 0.05, 0.02


def run(preset: str, output: Path | None, data_dir: Path | None, resume: bool) -> None:
    """Train a preset's model, draw and measure, and say which of the expected figures hold.

    Raises:
        InputError: there is no such preset, or its data are missing.
    """
    model = zoo.model_of(preset)
    given = {"output": output, "data_dir": data_dir, "resume": resume or None}
    given = {name: value for name, value in given.items() if value is not None}
    if presets.get(preset)["model"] == "ImageClassifier" or model is None:
        net = OwnNet(preset, given.get("data_dir"), given.get("output"))
        net.train(retrain=not resume)
        folder, weights = net.folder.path, weights_of(preset)
    else:
        mode = "anom" if preset.endswith("_anomaly") else "gen"
        given |= {} if resume else {"retrain": True}
        config = RunConfig.of_options(model, mode, None, preset=preset, **given)
        run_config(config)
        folder = config.folder
        weights = weights_of(preset, config.recipe.data_options.get("drop_class"))
    if weights is not None:
        print("\n".join(comparison(weights, json.loads((folder / "metrics.json").read_text()))))


def comparison(weights: Weights, found: dict[str, dict]) -> Iterator[str]:
    """A line for each of the zoo's figures: whether it holds."""
    yield f"The zoo's own figures hold within {SHARE:.0%} or {SLACK}:"
    for section, figures in weights.figures.items():
        for name, expected in figures.items():
            if UNITS.get(section, {}).get(name, SETTING) == SETTING or name == "parameters":
                continue
            value = found.get(section, {}).get(name)
            if not isinstance(value, int | float):
                yield f"  {name.replace('_', ' ')}: not measured, expected {rounded(expected)}"
                continue
            holds = abs(value - expected) <= max(SHARE * abs(expected), SLACK)
            words = "holds" if holds else "DOES NOT HOLD"
            line = f"  {name.replace('_', ' ')}: {rounded(value)}"
            yield f"{line}, expected {rounded(expected)}: {words}"
