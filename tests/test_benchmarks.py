"""The benchmarks' figures, clocks, tables and picture; what they measure is not tested."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common.datasets import PolynomialData

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))
cost, quality, report = map(importlib.import_module, ("cost", "quality", "report"))

BAR = quality.Bar("MSE", "<=", 0.1)


def test_the_clock_stands_while_the_figure_is_measured():
    def slow():
        time.sleep(0.2)
        return {"MSE": 0.05}

    run = quality.Run(slow, (BAR,), limit=None)
    assert run.ends() and run.reached and not run.over()
    assert run.seconds < 0.1
    assert run.course[0]["MSE"] == 0.05


def test_a_run_ends_at_its_limit_without_its_figure():
    run = quality.Run(lambda: {"MSE": 0.2}, (BAR,), limit=0.01)
    time.sleep(0.02)
    assert run.over() and run.ends() and not run.reached


@pytest.mark.parametrize(("relation", "low", "high"), [("<=", True, False), (">=", False, True)])
def test_a_bar_is_met_on_one_side_and_never_unmeasured(relation, low, high):
    bar = quality.Bar("f", relation, 1.0)
    assert (bar.holds({"f": 0.5}), bar.holds({"f": 2.0})) == (low, high)
    assert bar.holds({"f": 1.0}) and not bar.holds({})


def test_the_figures_of_autoencoders_in_closed_form():
    images = np.full((3, 2, 2, 1), 51, np.uint8)  # 0.2
    data = SimpleNamespace(x_valid=images)
    model = SimpleNamespace(
        reconstruct=lambda x: np.full(x.shape, 0.5),
        posterior=lambda x: (np.full((len(x), 2), 3.0), np.zeros((len(x), 2))),
        decode=lambda z: np.full((len(z), 2, 2, 1), 0.5),
    )
    assert quality.squared_error(model, data, None)["MSE"] == pytest.approx(0.09)
    # log 2 for each of four pixels; μ² / 2 for each of two dimensions.
    expected = 4 * np.log(2) + 9
    assert quality.negative_elbo(model, data, None)["negative ELBO"] == pytest.approx(expected)


def test_samples_are_judged_by_all_their_classes():
    wanted = np.eye(10)[np.arange(50) % 10]
    model = SimpleNamespace(sample=lambda n, seed: None)
    data = SimpleNamespace(usual_samples=None, class_names="0123456789")
    found = quality.digits(model, data, SimpleNamespace(classify=lambda images: wanted))
    assert found == {"predictability": 1.0, "classes": 10, "KL": pytest.approx(0)}
    assert all(bar.holds(found) for bar in quality.TEN)


def test_validation_polynomials_are_further_ones():
    data = quality.load_data("wgan_polynomials")
    assert len(data.x_valid) == quality.VALIDATION
    first = PolynomialData(num_images=20_000, seed=0).x_train
    np.testing.assert_array_equal(data.x_train[::1000], first[::1000])
    assert len(data.x_train) == len(first)


def run_of(contender, seconds, reached):
    own = {"task": "ae", "bars": "MSE <= 0.1", "figures": {"MSE": 0.25}}
    return {**own, "contender": contender, "seconds": seconds, "reached": reached}


def test_the_quality_table_has_medians_and_what_was_not_reached():
    ours = [run_of("ours", seconds, seconds < 25) for seconds in (10.0, 30.0, 20.0)]
    *_, row = report.quality_table([*ours, run_of("seed", 200.0, False)])
    assert row == "| ae | MSE <= 0.1 | 20 s (10 – not reached) | not in 200 s (MSE 0.25) |"
    *_, row = report.quality_table(ours[:1])
    assert row == "| ae | MSE <= 0.1 | 10 s | — |"


def test_the_speed_table_gives_each_contender_its_share_of_its_own_peak():
    measured = {
        "images_per_second": {"ours": [9.0, 10.0, 11.0], "theirs": [4.0, 5.0, 6.0]},
        "dtypes": {"ours": "bfloat16", "theirs": "float32"},
        "peak_flops": {"float32": [100.0], "bfloat16": [400.0]},
        "operations": 10.0,
        "baseline": "theirs",
        "targets": [{"name": "t", "ours": ["ours"], "theirs": ["none", "theirs"], "ratio": 1.4}],
    }
    table = report.speed_table(measured)
    assert "| ours | 10 | 9 – 11 | 2.00 | 25% |" in table
    assert "| theirs | 5 | 4 – 6 | 1.00 | 50% |" in table
    assert table[-1] == "| t (ours ÷ theirs) | 1.4 | 2.00 | 2.00 |"


def test_the_picture_of_costs_has_log_axes_with_names():
    points = [
        {"model": model, "varied": varied, "value": value, "images_per_second": 1e4 / value}
        for model in cost.MODELS
        for varied, values in cost.SWEEPS.items()
        for value in values
    ]
    figure = cost.picture(points, "tensorflow")
    for axes in figure.axes:
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        assert axes.get_xlabel() and len(axes.lines) == len(cost.MODELS)
    assert figure.legends and figure.axes[0].get_ylabel()
    assert report.cost_table(points)[-1].startswith("| convolutional | 20,000 | 10,000 |")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae", "vae", "conv_ae", "mnist_dcgan", "polynomials_wgan"])
def test_a_seed_learns_and_answers_the_verbs(name):
    pytest.importorskip("torch")
    side = 40 if "polynomials" in name else 28
    script = f"""
import json, sys
import numpy as np, seeds
images = np.random.default_rng(0).integers(0, 256, (600, {side}, {side}, 1), "uint8")
recipe = seeds.RECIPES[{name!r}](images[:20])
recipe.batch_size = 10
before = [p.detach().clone() for p in recipe.networks.parameters()]
for _ in range(3):
    recipe.epoch(lambda: False)
changed = [bool((p != q).any()) for p, q in zip(recipe.networks.parameters(), before)]
if hasattr(recipe, "sample"):
    made = recipe.sample(600, 0)
elif hasattr(recipe, "posterior"):
    made = recipe.decode(recipe.posterior(images)[0])
else:
    made = recipe.reconstruct(images)
print(json.dumps([np.mean(changed), made.shape, float(made.min()), float(made.max())]))
"""
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, cwd=BENCHMARKS, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]
    changed, shape, low, high = json.loads(run.stdout)
    assert changed > 0.8  # A bias has no gradient where a difference or BatchNorm cancels it.
    assert shape == [600, side, side, 1] and 0 <= low < high <= 1
