"""The tables of a benchmark."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A ratio of two contenders' speeds that is to be reached."""

    name: str
    ours: Sequence[str]
    """The best of these counts."""
    theirs: str
    ratio: float


def report(
    speeds: Mapping[str, Sequence[float]],
    baseline: str,
    targets: Sequence[Target],
    operations: float,
    peaks: Sequence[float],
) -> None:
    """Print the medians, and for every target the median over the rounds of the ratio.

    Args:
        speeds: images a second of each contender, a value per round.
        baseline: the contender that the others are relative to.
        targets: ratios to report.
        operations: floating-point operations of a training step, per image.
        peaks: operations a second of matrix products, beside each round.
    """
    median = {name: statistics.median(values) for name, values in speeds.items()}
    baseline = baseline if baseline in median else next(iter(median))
    peak = statistics.median(peaks)
    print(f"\nFloat32 matrix products beside them: {peak / 1e9:,.0f} GFLOP/s (median).")
    print(
        f"\n| contender | images/s | slowest – fastest round | × {baseline} | share of the peak |"
    )
    print("|---|---:|---:|---:|---:|")
    for name, value in median.items():
        rounds = f"{min(speeds[name]):,.0f} – {max(speeds[name]):,.0f}"
        times = value / median[baseline]
        share = value * operations / peak
        print(f"| {name} | {value:,.0f} | {rounds} | {times:.2f} | {share:.0%} |")
    reachable = [t for t in targets if t.theirs in median and set(t.ours) & set(median)]
    if reachable:
        print("\n| ratio | at least | medians | median of the rounds |")
        print("|---|---:|---:|---:|")
    for target in reachable:
        best = max((name for name in target.ours if name in median), key=median.get)
        pairs = zip(speeds[best], speeds[target.theirs], strict=True)
        rounds = statistics.median(ours / theirs for ours, theirs in pairs)
        ratio = median[best] / median[target.theirs]
        print(f"| {target.name} ({best}) | {target.ratio} | {ratio:.2f} | {rounds:.2f} |")
