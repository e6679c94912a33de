"""Seconds of training until a validation figure first holds: ours, and the seed's recipe.

Each run has a process of its own on the same two cores, one at a time, ours and the seed's in turn.
The seconds are those of training, compilation included. After each epoch the clock stands while the
figure is measured on 5,000 images that the training does not see (or on samples); the test images
stay unused. Ours are the presets' recipes, in float32. The seed's recipe is a plain PyTorch loop,
`seeds.py`, which trains until it reaches the same figure or for ten times our seconds.

A verification net judges the digits of GANs. It is trained before, outside of every clock.
"""

import argparse
import json
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

from harness import ROOT, environment, json_lines
from machine import keep_two_cores, processor, versions
from quality import TASKS, Run, load_data
from report import PATIENCE, figures_in_words, quality_table

from common import presets

VERIFIER = "classifier_mnist"


def main() -> None:
    """Read the command line; run all, or, in a run's own process, that one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", nargs="+", choices=TASKS, default=[*TASKS], help="default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument("--only", choices=("ours", "seed"), help="one of the two contenders")
    parser.add_argument("--backend", choices=("tensorflow", "jax", "torch"), default="tensorflow")
    parser.add_argument(
        "--limit", type=float, metavar="SECONDS", help="the longest training (default: the recipe)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run's course")
    parser.add_argument(
        "--verifier",
        type=Path,
        default=ROOT / "results" / "bench" / "verifier.keras",
        metavar="FILE",
        help="the verification net; trained and kept there if missing (default: %(default)s)",
    )
    parser.add_argument("--worker", choices=("ours", "seed", "verifier"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker == "verifier":
        train_verifier(options.verifier)
    elif options.worker:
        work(options)
    else:
        keep_two_cores()
        run_all(options)


def run_all(options: argparse.Namespace) -> None:
    """Every run in a process of its own, and the table."""
    print(f"{processor()}\n{versions()}", flush=True)
    judged = any(TASKS[name].judged for name in options.task)
    if judged and not options.verifier.exists():
        print("The verification net is trained first.", flush=True)
        start("verifier", options.backend, verifier=options.verifier)
    runs: list[dict[str, Any]] = []
    for name in options.task:
        for seed in options.seeds:
            limit = options.limit
            for contender in ("ours", "seed"):
                if contender != (options.only or contender) or not has(name, contender):
                    continue
                found = start(
                    contender,
                    options.backend if contender == "ours" else "torch",
                    task=name,
                    seeds=seed,
                    limit=limit,
                    verifier=options.verifier,
                )
                runs.append(found)
                # The seed's is told how long ours took.
                limit = min(PATIENCE * found["seconds"], options.limit or float("inf"))
                print(f"{name}, seed {seed}, {contender}: {outcome(found)}", flush=True)
                if options.json:
                    facts = {"processor": processor(), "versions": versions()}
                    facts |= {"backend": options.backend, "runs": runs}
                    options.json.write_text(json.dumps(facts, indent=2) + "\n")
    if runs:
        print("\n" + "\n".join(quality_table(runs)))


def has(task: str, contender: str) -> bool:
    """Whether there is such a contender."""
    return contender == "ours" or TASKS[task].seed is not None


def start(worker: str, backend: str, **options: Any) -> dict[str, Any]:
    """What a process of its own answers; it ends the program if that fails."""
    command = [sys.executable, sys.argv[0], "--worker", worker, "--backend", backend]
    for name, value in options.items():
        command += [] if value is None else [f"--{name}", str(value)]
    run = subprocess.run(command, env=environment(backend), stdout=subprocess.PIPE, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command[1:])} failed; its messages are above.")
    return json.loads(run.stdout)


def outcome(run: dict[str, Any]) -> str:
    """One run in words."""
    place = "reached after" if run["reached"] else "not reached in"
    how = f"{run['epochs']} epochs, {figures_in_words(run['figures'])}"
    return f"{run['bars']}: {place} {run['seconds']:,.1f} s ({how})"


def train_verifier(path: Path) -> None:
    """Train the verification net on the training images of the other tasks."""
    answer = json_lines()
    data = load_data(VERIFIER)
    net = preset_model(VERIFIER, seed=0)
    net.fit(data.x_train, data.y_train, **presets.get(VERIFIER)["fit"], verbose=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    net.save(path)
    answer(accuracy=net.evaluate(data.x_valid, data.y_valid, verbose=0)["accuracy"])


def preset_model(name: str, seed: int) -> Any:
    """The compiled model of a preset."""
    import keras

    from common import models

    keras.utils.set_random_seed(seed)
    return getattr(models, presets.get(name)["model"]).from_preset(name, seed=seed)


def work(options: argparse.Namespace) -> None:
    """One run's process."""
    answer = json_lines()
    (name,), (seed,) = options.task, options.seeds
    task = TASKS[name]
    data, net = load_data(task.preset), None
    if task.judged:
        import keras

        from common.models import ImageClassifier

        keras.utils.disable_interactive_logging()  # No bars of thousands of samples.
        net = ImageClassifier.load(options.verifier)
    train = train_ours if options.worker == "ours" else train_seed
    run = train(task, seed, data, net, options.limit)
    *_, last = run.course
    answer(
        task=name,
        seed=seed,
        contender=options.worker,
        bars=", ".join(map(str, task.bars)),
        reached=run.reached,
        seconds=last["seconds"],
        epochs=len(run.course),
        figures={key: value for key, value in last.items() if key != "seconds"},
        course=run.course,
    )


def train_ours(task: Any, seed: int, data: Any, net: Any, limit: float | None) -> Run:
    """Fit the preset's recipe until the bars hold, the time is up or its epochs are over."""
    model = preset_model(task.preset, seed)
    import keras

    class Watch(keras.callbacks.Callback):
        async_safe = True  # Else Keras waits for the device after every batch.

        def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
            self.model.stop_training |= run.over()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.model.stop_training |= run.ends()

    labels = data.y_train if model.num_classes else None
    fit = partial(model.fit, data.x_train, labels, **presets.get(task.preset)["fit"], verbose=0)
    run = Run(partial(task.measure, model, data, net), task.bars, limit)
    fit(callbacks=[Watch()])
    return run


def train_seed(task: Any, seed: int, data: Any, net: Any, limit: float | None) -> Run:
    """Run the loop until the bars hold or the time is up; without a limit for its epochs."""
    import numpy as np
    import seeds
    import torch

    torch.manual_seed(seed)
    recipe = seeds.RECIPES[task.seed](np.asarray(data.x_train))
    run = Run(partial(task.measure, recipe, data, net), task.bars, limit)
    while True:
        recipe.epoch(run.over)
        if run.ends() or (limit is None and len(run.course) == recipe.epochs):
            return run


if __name__ == "__main__":
    main()
