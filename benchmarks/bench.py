"""All benchmarks in one run: prints their tables, writes them with one JSON file and a picture.

The parts run one after the other, each in a process of its own, and leave in `results/bench/`:
`bench.md`, the tables; `bench.json`, what was measured; `cost.png`. The files are written after
every part, so that a run that is stopped keeps what it has. A part that fails is left out.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT, environment
from machine import processor, versions
from report import cost_table, decoding_table, quality_table, speed_table


@dataclass(frozen=True)
class Part:
    """A script, and the table of its JSON file."""

    title: str
    script: str
    table: Callable[[dict], list[str]]


PARTS = {
    "autoencoder": Part("The seed autoencoder", "autoencoder.py", speed_table),
    "dcgan": Part("The seed DCGAN", "dcgan.py", speed_table),
    "cost": Part(
        "Cost against batch, side and width",
        "cost.py",
        lambda measured: cost_table(measured["points"]),
    ),
    "decoding": Part("Decoding of photographs", "decoding.py", decoding_table),
    "quality": Part(
        "Time to quality", "time_to_quality.py", lambda measured: quality_table(measured["runs"])
    ),
}


def main() -> None:
    """Read the command line and run the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Further options, such as --limit 600 --seeds 0, go to time_to_quality.py.",
    )
    parser.add_argument("--part", nargs="+", choices=PARTS, default=[*PARTS], help="default: all")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "results" / "bench", help="default: %(default)s"
    )
    options, further = parser.parse_known_args()
    if further and "quality" not in options.part:
        parser.error(f"unknown: {' '.join(further)}")
    options.output.mkdir(parents=True, exist_ok=True)
    own = {"cost": ["--plot", str(options.output / "cost.png")], "quality": further}
    measured = {"processor": processor(), "versions": versions()}
    lines = ["# Benchmarks", "", f"{processor()}; {versions()}."]
    failed = []
    for name in options.part:
        part = PARTS[name]
        print(f"\n== {part.title} ==", flush=True)
        path = options.output / f"{name}.json"
        script = Path(__file__).with_name(part.script)
        command = [sys.executable, str(script), "--json", str(path), *own.get(name, ())]
        if subprocess.run(command, env=environment()).returncode:
            failed.append(name)
            continue
        measured[name] = json.loads(path.read_text())
        path.unlink()
        lines += ["", f"## {part.title}", "", *part.table(measured[name])]
        (options.output / "bench.json").write_text(json.dumps(measured, indent=2) + "\n")
        (options.output / "bench.md").write_text("\n".join(lines) + "\n")
    if len(failed) < len(options.part):
        print(f"\nThe tables are in {options.output / 'bench.md'}, with bench.json beside them.")
    if failed:
        raise SystemExit(f"These parts failed; their messages are above: {', '.join(failed)}")


if __name__ == "__main__":
    main()
