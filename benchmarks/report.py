"""The tables of the benchmarks, as lines of Markdown, from what their JSON files hold."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A seed's recipe trains for so many times as long as ours.
PATIENCE = 10


@dataclass(frozen=True)
class Target:
    """A ratio of two contenders' speeds that is to be reached."""

    name: str
    ours: Sequence[str]
    """The best of these counts."""
    theirs: Sequence[str]
    """And the best of these."""
    ratio: float


def speed_table(measured: Mapping[str, Any]) -> list[str]:
    """The medians, and for every target the median over the rounds of the ratio.

    Args:
        measured: `images_per_second` and `dtypes` of each contender, `peak_flops` of each dtype, a
            value per round; `operations` of a training step, per image; the name of the `baseline`;
            `targets` as dicts.
    """
    speeds = measured["images_per_second"]
    median = {name: statistics.median(values) for name, values in speeds.items()}
    baseline = measured["baseline"] if measured["baseline"] in median else next(iter(median))
    peaks = {dtype: statistics.median(p) for dtype, p in measured["peak_flops"].items()}
    lines = [
        f"{dtype} matrix products beside them: {peak / 1e9:,.0f} GFLOP/s (median)."
        for dtype, peak in peaks.items()
    ]
    lines += [
        "",
        f"| contender | images/s | slowest – fastest round | × {baseline} | share of the peak |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, value in median.items():
        rounds = f"{min(speeds[name]):,.0f} – {max(speeds[name]):,.0f}"
        times = value / median[baseline]
        share = value * measured["operations"] / peaks[measured["dtypes"][name]]
        lines.append(f"| {name} | {value:,.0f} | {rounds} | {times:.2f} | {share:.0%} |")
    ratios = []
    for target in (Target(**target) for target in measured["targets"]):
        best = [
            max((name for name in names if name in median), key=median.__getitem__, default=None)
            for names in (target.ours, target.theirs)
        ]
        if None in best:
            continue
        ours, theirs = best
        pairs = zip(speeds[ours], speeds[theirs], strict=True)
        rounds = statistics.median(a / b for a, b in pairs)
        ratio = f"{median[ours] / median[theirs]:.2f} | {rounds:.2f}"
        ratios.append(f"| {target.name} ({ours} ÷ {theirs}) | {target.ratio} | {ratio} |")
    if ratios:
        ratios[:0] = ["", "| ratio | at least | medians | median of the rounds |"]
        ratios.insert(2, "|---|---:|---:|---:|")
    return lines + ratios


def quality_table(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The median seconds until each task's bars hold, ours and the seed's recipe.

    Args:
        runs: of every run the `task`, its `bars` in words, the `contender`, whether it `reached`
            them, the `seconds` of training, and the last `figures`.
    """
    lines = [
        "| task | until, on validation images | ours | the seed's recipe in PyTorch |",
        "|---|---|---:|---:|",
    ]
    for task in dict.fromkeys(run["task"] for run in runs):
        mine = [run for run in runs if run["task"] == task]
        cells = [
            _in_words([run for run in mine if run["contender"] == c]) for c in ("ours", "seed")
        ]
        lines.append(f"| {task} | {mine[0]['bars']} | {cells[0]} | {cells[1]} |")
    return lines


def cost_table(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """Images per second of each model against what is varied; see `cost.picture`."""
    lines = []
    for varied in dict.fromkeys(point["varied"] for point in points):
        mine = [point for point in points if point["varied"] == varied]
        values = [*dict.fromkeys(point["value"] for point in mine)]
        lines += ["", f"| images/s by {varied} | {' | '.join(f'{v:g}' for v in values)} |"]
        lines += [f"|---|{'---:|' * len(values)}"]
        for model in dict.fromkeys(point["model"] for point in mine):
            paces = [p["images_per_second"] for p in mine if p["model"] == model]
            lines += [f"| {model} | {' | '.join(f'{pace:,.0f}' for pace in paces)} |"]
    return lines


def decoding_table(measured: Mapping[str, Any]) -> list[str]:
    """Photographs per second in a first start, each way, and the seconds of a second one."""
    lines = ["| decoding | images/s |", "|---|---:|"]
    for name, paces in measured["images_per_second"].items():
        lines.append(f"| {name} | {statistics.median(paces):,.0f} |")
    again = statistics.median(measured["second_start_seconds"])
    return [*lines, "", f"A second start takes {again:.3f} seconds."]


def figures_in_words(figures: Mapping[str, float]) -> str:
    """ "mse 0.0331, accuracy 0.994"."""
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())


def _in_words(runs: Sequence[Mapping[str, Any]]) -> str:
    if not runs:
        return "—"
    spans = sorted(run["seconds"] if run["reached"] else math.inf for run in runs)
    # Between a time and none there is no median but none.
    median = spans[len(spans) // 2]
    if math.isfinite(median):
        span = f" ({spans[0]:,.0f} – {spans[-1]:,.0f})" if len(spans) > 1 else ""
        return f"{median:,.0f} s{span}".replace("inf", "not reached")
    longest = max(runs, key=lambda run: run["seconds"])
    return f"not in {longest['seconds']:,.0f} s ({figures_in_words(longest['figures'])})"
