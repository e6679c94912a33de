"""The page's own GAN and own dataset, plugged in from outside the package as the page says."""

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from common import cli, datasets, presets, zoo
from common.models.gan import GAN

PAGE = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
TABLES = (zoo.MODELS, zoo.DATASETS, presets.PRESETS)

pytestmark = pytest.mark.usefixtures("without_xla")


@pytest.fixture(autouse=True)
def tables_as_before():
    """Forget what the page registers."""
    before = [dict(table) for table in TABLES]
    yield
    for table, rows in zip(TABLES, before, strict=True):
        table.clear()
        table.update(rows)


def run_page(name, folder):
    """Run the page's code block `# name`, which may have so many lines of code."""
    [code] = re.findall(rf"```python\n(# {re.escape(name)}\n.*?)```", PAGE, flags=re.DOTALL)
    (folder / name).write_text(code)
    runpy.run_path(str(folder / name))
    return [line for line in code.splitlines() if line.strip() and not line.startswith("#")]


def test_an_own_gan_trains_through_the_command_line(tmp_path, verifier, capsys):
    lines = run_page("hinge.py", tmp_path)
    assert len(lines) <= 20
    presets.PRESETS["hinge_digits"]["arguments"]["width"] = 1 / 16
    words = ["--epochs", "3", "--data-fraction", "0.1", "--batch-size", "16", "--pack", "2"]
    words += ["--verifier", str(verifier), "--output", str(tmp_path / "results")]
    assert cli.main(["hinge", "gen", "digits", *words]) == 0
    said = capsys.readouterr().out
    assert "Training hinge_digits: HingeGAN" in said
    # The watcher and the read-out of the balance know what the metrics mean.
    assert "After epoch 3:" in said and "D(real)" in said
    history = pd.read_csv(tmp_path / "results" / "history.csv")
    assert {"generator_loss", "discriminator_loss", "score_real", "score_fake"} < set(history)
    first, last = history["discriminator_loss"].iloc[[0, -1]]
    assert last < first
    model = GAN.load(tmp_path / "results" / "model.keras")
    assert type(model).__name__ == "HingeGAN" and model.pack == 2
    figures = json.loads((tmp_path / "results" / "metrics.json").read_text())
    assert figures["gen"]["modes"] >= 1
    assert cli.main(["hinge", "gen", "digits", *words]) == 0
    assert "Loaded" in capsys.readouterr().out


def test_an_own_dataset_trains_through_the_command_line(tmp_path, capsys):
    lines = run_page("stripes.py", tmp_path)
    assert len(lines) <= 40
    data = datasets.load("stripes", num_images=50)
    assert data.x_train.shape == (50, 16, 16, 1) and len(data.x_test) == 5
    # A horizontal stripe is the same along a row, a vertical one along a column.
    for image, label in zip(data.x_train[..., 0], data.y_train, strict=True):
        assert not np.ptp(image, axis=1 - label).any()
    words = ["--num-images", "200", "--epochs", "2", "--output", str(tmp_path / "results")]
    assert cli.main(["vae", "basic", "stripes", *words]) == 0
    assert "images of stripes" in capsys.readouterr().out
    history = pd.read_csv(tmp_path / "results" / "history.csv")
    assert history["loss"].iloc[1] < history["loss"].iloc[0]
    assert (tmp_path / "results" / "reconstructions.png").exists()
    assert cli.main(["vae", "gen", "stripes", "--size", "9"]) == 2
    assert "--size is only for" in capsys.readouterr().err
