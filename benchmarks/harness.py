"""Side-by-side timing: one process per contender, one at a time, in turn, round after round.

A script lists its `Contender`s and calls `main`. Every contender gets a process of its own, which
imports its framework, builds its model, compiles it in one epoch that does not count, and then
waits. The parent lets them run in turn (A B C A B C …), so that a busy machine slows all of them
alike, and prints the medians. Only one process computes at any time. A contender that cannot start
here (a backend or a compiler is missing) is named and left out, and so is one in bfloat16 on a
processor that only emulates it, unless it is asked for by `--only`.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import has_bfloat16, matrix_product_peak, processor, versions
from report import Target, speed_table

ROOT = Path(__file__).parents[1]
IMAGE_SHAPE = (28, 28, 1)


@dataclass
class Job:
    """What a contender's `prepare` returns."""

    run: Callable[[int], float]
    """Trains that many epochs and returns the seconds they took, in the steady state."""
    parameters: int
    """Trainable weights, which must be as many for all contenders."""


@dataclass(frozen=True)
class Contender:
    """One way to train the model."""

    name: str
    prepare: Callable[[np.ndarray, int], Job]
    """Takes uint8 images `(N, 28, 28, 1)` and the batch size."""
    backend: str | None = None
    """Keras's backend, or None where Keras is not used."""
    dtype: str = "float32"
    """Of the products: "float32" or "bfloat16"."""


class CannotStart(Exception):
    """A contender's process ended before it was ready."""


def random_images(count: int) -> np.ndarray:
    """uint8 noise of MNIST's shape."""
    return np.random.default_rng(0).integers(0, 256, (count, *IMAGE_SHAPE), "uint8")


def environment(backend: str | None = None) -> dict[str, str]:
    """The variables of a process that imports `common`, with this Keras backend."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    chosen = {"KERAS_BACKEND": backend} if backend else {}
    return {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3", **chosen}


def json_lines() -> Callable[..., None]:
    """Writes its keywords to stdout as a line; whatever a framework prints goes to stderr."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**values: Any) -> None:
        answers.write(json.dumps(values) + "\n")
        answers.flush()

    return answer


def steady_fit(fit: Callable[..., Any], epochs: int) -> float:
    """Seconds of the last `epochs` of a Keras `fit` of one epoch more."""
    import keras

    class Clock(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.times = []

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.times.append(time.perf_counter())

    clock = Clock()
    fit(epochs=epochs + 1, callbacks=[clock], verbose=0)
    return clock.times[-1] - clock.times[0]


def keras_parameters(model: Any) -> int:
    """How many trainable weights a Keras model has."""
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def steady_loop(epoch: Callable[[], None], epochs: int) -> float:
    """Seconds of `epochs` calls after one that does not count, as in `steady_fit`."""
    epoch()
    start = time.perf_counter()
    for _ in range(epochs):
        epoch()
    return time.perf_counter() - start


class Worker:
    """A contender's process, seen from the parent."""

    def __init__(self, contender: Contender, arguments: Sequence[str]):
        self.name, self.dtype = contender.name, contender.dtype
        self.speeds: list[float] = []
        self.process = subprocess.Popen(
            [sys.executable, sys.argv[0], *arguments, "--worker", contender.name],
            env=environment(contender.backend),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.parameters = self._answer()["parameters"]

    def run(self) -> float:
        """Let it train one round; returns images per second."""
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.speeds.append(self._answer()["speed"])
        return self.speeds[-1]

    def stop(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise CannotStart(f"{self.name!r} failed; its messages are above.")
        return json.loads(line)


def work(contender: Contender, options: argparse.Namespace) -> None:
    """A contender's process: prepare, warm up, then one round per line of stdin."""
    answer = json_lines()
    images = random_images(options.images)
    job = contender.prepare(images, options.batch_size)
    job.run(1)
    answer(parameters=job.parameters)
    seen = options.images // options.batch_size * options.batch_size
    for _ in sys.stdin:
        answer(speed=options.epochs * seen / job.run(options.epochs))


def main(
    description: str,
    contenders: Sequence[Contender],
    targets: Sequence[Target],
    baseline: str,
    images: int,
    epochs: int,
    operations: float,
) -> None:
    """Read the command line, run the contenders in turn and print the table.

    Args:
        description: the script's docstring.
        contenders: who runs, in this order.
        targets: ratios to report.
        baseline: the contender that the table's last column is relative to.
        images: default of `--images`.
        epochs: default of `--epochs`.
        operations: floating-point operations of a training step, per image.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [contender.name for contender in contenders]
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default: %(default)s)")
    parser.add_argument(
        "--epochs", type=int, default=epochs, help="counted epochs a round (default: %(default)s)"
    )
    parser.add_argument(
        "--images", type=int, default=images, help="images an epoch (default: %(default)s)"
    )
    parser.add_argument("--batch-size", type=int, default=256, help="default: %(default)s")
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help=f"a selection of: {names}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the speeds to a file")
    parser.add_argument("--worker", choices=names, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if min(options.rounds, options.epochs) < 1 or options.images < options.batch_size:
        parser.error("rounds and epochs must be at least 1, and images at least a batch")
    if options.worker:
        work(contenders[names.index(options.worker)], options)
        return

    print(f"{processor()}\n{versions()}")
    print(
        f"{options.images:,} random uint8 images of {IMAGE_SHAPE} (speed does not depend on their "
        f"content), batch {options.batch_size}; {options.rounds} rounds in turn of "
        f"{options.epochs} epochs each, after one that does not count.",
        flush=True,
    )
    workers: list[Worker] = []
    peaks: dict[str, list[float]] = {}
    try:
        for contender in contenders:
            if contender.name not in (options.only or names):
                continue
            if contender.dtype == "bfloat16" and not (options.only or has_bfloat16()):
                print(f"{contender.name}: left out, this processor only emulates bfloat16.")
                continue
            try:
                workers.append(Worker(contender, sys.argv[1:]))
            except CannotStart as error:
                print(f"{error} It is left out.", flush=True)
        counts = {worker.name: worker.parameters for worker in workers}
        if len(set(counts.values())) != 1:
            raise SystemExit(f"Expected networks with equal numbers of parameters; got {counts}.")
        print(f"{workers[0].parameters:,} trainable parameters each.", flush=True)
        for index in range(options.rounds):
            for dtype in dict.fromkeys(worker.dtype for worker in workers):
                peaks.setdefault(dtype, []).append(matrix_product_peak(dtype))
            line = "  ".join(f"{worker.name} {worker.run():,.0f}" for worker in workers)
            print(f"round {index + 1}: {line}", flush=True)
    finally:
        for worker in workers:
            worker.stop()
    measured = {
        "processor": processor(),
        "versions": versions(),
        "batch": options.batch_size,
        "images_per_second": {worker.name: worker.speeds for worker in workers},
        "dtypes": {worker.name: worker.dtype for worker in workers},
        "peak_flops": peaks,
        "operations": operations,
        "baseline": baseline,
        "targets": [asdict(target) for target in targets],
    }
    print("\n" + "\n".join(speed_table(measured)))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=2) + "\n")
