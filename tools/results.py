"""Measure the weights that come with the zoo: RESULTS.md, and the figures in their manifest.

python tools/results.py [NAME …]

Each set of weights goes through a user's commands: `main.py MODEL MODE DATA` for the figures in the
manifest, and `main.py evaluate` for those with intervals. The datasets must be in Keras's cache.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from machine import processor, versions  # noqa: E402

from common import presets, zoo  # noqa: E402
from common.commands.figures import rounded  # noqa: E402
from common.presets.shipped import MANIFEST, Weights, all_weights  # noqa: E402

KEPT = ROOT / "docs" / "results.json"
PAGE = ROOT / "RESULTS.md"
# Of each model's table: the figures' names in docs/figures_schema.md.
COLUMNS = {
    "Autoencoders and VAEs": (
        *("test_mse", "test_negative_elbo", "frechet_distance", "precision", "recall"),
        *("predictability", "modes_kl", "copies"),
    ),
    "GANs": (
        *("frechet_distance", "kernel_distance", "precision", "recall", "density", "coverage"),
        *("predictability", "modes", "modes_kl", "outside_span_median", "copies"),
    ),
    "Anomalies": ("auroc", "average_precision", "auroc_class_uncertainty", "auroc_squared_error"),
    "Verification nets": ("accuracy",),
}
HEAD = """\
# Results

What `make results` measured with the weights that come with the zoo, in half precision: {where}.
Values stand with their 95 % intervals; [docs/figures_schema.md](docs/figures_schema.md#evaluate)
explains them and their protocols. Samples: 10,000 by seed 0 (stacked 26,000), beside all test
images. `python main.py train PRESET` trains a row again. Training times are upper bounds, as other
work ran beside.
"""


def main() -> None:
    """Measure the weights of the command line, or all, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", help="of weights; default: all")
    names = parser.parse_args().name or [*all_weights()]
    manifest = json.loads(MANIFEST.read_text())
    known = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in names:
        weights = all_weights()[name]
        with tempfile.TemporaryDirectory() as place:
            figures, intervals = measure(weights, Path(place))
        manifest[name]["figures"] = figures
        known[name] = intervals
        print(f"{name}: {intervals or figures}", flush=True)
        MANIFEST.write_text(json.dumps(manifest, indent=1) + "\n")
        KEPT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    known = {name: known.get(name, {}) for name in manifest}
    PAGE.write_text("\n".join(page(manifest, known)) + "\n")


def measure(weights: Weights, place: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures of a mode, by section, and those of `evaluate`."""
    model = zoo.model_of(weights.preset)
    if model is None:
        found = evaluated(weights, place)
        return {"model": {"test_accuracy": found["accuracy"]["value"]}}, found
    mode = "anom" if weights.drop_class is not None else "gen"
    data = presets.get(weights.preset)["data"]["name"]
    words = [model, mode, data, "--preset", weights.preset, "--output", str(place / "run")]
    command(*words, *(["--held-out", str(weights.drop_class)] if mode == "anom" else []))
    figures = json.loads((place / "run" / "metrics.json").read_text())
    return figures, {} if mode == "anom" else evaluated(weights, place)


def evaluated(weights: Weights, place: Path) -> dict[str, Any]:
    """What `main.py evaluate` writes."""
    command("evaluate", weights.preset, "--output", str(place / "figures.json"))
    return json.loads((place / "figures.json").read_text())


def command(*words: str) -> None:
    """Run the command line, quietly."""
    run = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words], capture_output=True, text=True
    )
    if run.returncode:
        raise SystemExit(f"main.py {' '.join(words)}: {run.stderr}")


def table_of(name: str, weights: dict[str, Any]) -> str:
    """The table that a set of weights belongs to."""
    if weights["drop_class"] is not None:
        return "Anomalies"
    if name.startswith("classifier_"):
        return "Verification nets"
    gan = name.partition("_")[0] in ("dcgan", "lsgan", "wgan")
    return "GANs" if gan else "Autoencoders and VAEs"


def page(manifest: dict[str, dict], intervals: dict[str, dict]) -> Any:
    """The lines of RESULTS.md."""
    yield HEAD.format(where=f"{processor()}, {versions()}")
    for title, columns in COLUMNS.items():
        rows = [n for n in manifest if table_of(n, manifest[n]) == title]
        if not rows:
            continue
        cells = {n: {**flat(manifest[n]["figures"]), **intervals[n]} for n in rows}
        shown = [c for c in columns if any(c in cells[n] for n in rows)]
        yield f"## {title}\n"
        heads = ["weights", "parameters", "training", *(c.replace("_", " ") for c in shown)]
        yield f"| {' | '.join(heads)} |"
        yield "|---|" + "---:|" * (len(heads) - 1)
        for n in rows:
            size = cells[n].get("parameters")
            minutes = f"{manifest[n]['train_seconds'] / 60:.1f} min"
            values = [cell(cells[n].get(c)) for c in shown]
            first = [f"`{n}`", f"{size:,}" if size else "", minutes]
            yield f"| {' | '.join([*first, *values])} |"
        yield ""
    machines = sorted({row["machine"] for row in manifest.values()})
    yield f"Trained on {'; '.join(machines)}."
    licences = sorted({row["data_licence"] for row in manifest.values()})
    yield f"Licences of the data: {'; '.join(licences)}."


def flat(figures: dict[str, dict]) -> dict[str, Any]:
    """Figures without their sections."""
    return {name: value for part in figures.values() for name, value in part.items()}


def cell(found: Any) -> str:
    """A figure, with its interval if it has one."""
    if found is None:
        return ""
    if not isinstance(found, dict):
        return rounded(found)
    value = rounded(found["value"])
    return f"{value}<br>({rounded(found['low'])}–{rounded(found['high'])})"


if __name__ == "__main__":
    main()
