"""The figures of `metrics.json`: their units, and the table at the end of a run."""

from collections.abc import Iterator, Mapping
from typing import Any

from common import zoo
from common.evaluation.protocol import Figure

# By section, of the model or of a mode: each figure's unit. `docs/figures_schema.md` says what
# they mean.
SETTING = "setting"  # chosen, not measured
_JUDGED = {"predictability": "share of images", "tolerance": SETTING}
_AUROC = "AUROC, 0.5 is chance"
UNITS: dict[str, dict[str, str]] = {
    "model": {
        **dict.fromkeys(("seed", "epochs", "backend", "precision", "device"), SETTING),
        "parameters": "weights",
        "test_mse": "squared error per pixel",
        "test_negative_elbo": "nats per image",
        "test_reconstruction": "the model's loss per image",
        "test_kl": "nats per image",
        "classifier_accuracy": "share of test images",
        "nll": "nats per image",
        "nll_samples": SETTING,
        "test_accuracy": "share of test images",
    },
    "basic": {**_JUDGED, "accuracy": "share of images"},
    "gen": {
        **_JUDGED,
        "class_coverage": "share of classes",
        "modes": "classes",
        "modes_kl": "nats, 0 is even",
        "modes_kl_floor": "nats, of a perfect sampler",
        "samples": "images",
        "modes_kl_to_data": "nats, 0 is as the data",
        "modes_kl_to_data_floor": "nats, of a perfect sampler",
        "predictability_of_random_codes": "share of images",
        "class_coverage_of_random_codes": "share of classes",
        "predictability_of_code_mixture": "share of images",
        "class_coverage_of_code_mixture": "share of classes",
        # of polynomials
        "outside_span_median": "share of variance",
        "outside_span_p90": "share of variance",
        "density": "ratio, 1 is as the data",
        "coverage": "share of training images",
        "coverage_ceiling": "share, of a perfect sampler",
        "k": SETTING,
        "reference": "images",
    },
    "latent": {},
    "anom": {
        "auroc": _AUROC,
        "average_precision": "share",
        "held_out": SETTING,
        "score": SETTING,
        **{f"auroc_{name}": _AUROC for name in zoo.SCORES},
    },
    "timing": {"train_seconds": "s", "images_per_second": "per second"},
}


def present(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that have a value."""
    return {name: value for name, value in figures.items() if value is not None}


def table(sections: Mapping[str, Mapping[str, Any]], published: Mapping[str, Any]) -> str:
    """What was measured, rounded, with units and the figures of the paper or seed beside it.

    Args:
        sections: figures by the names of `UNITS`.
        published: such a figure's value, a number or text, by its name.
    """
    rows = [*_rows(sections, published)]
    if not rows:
        return ""
    head = ("", "this run", "seed or published" if any(row[2] for row in rows) else "", "unit")
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    aligned = (
        f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  "
        + (f"{row[2]:>{widths[2]}}  " if head[2] else "")
        + row[3]
        for row in (head, *rows)
    )
    return "\n".join(f"  {line}".rstrip() for line in aligned)


def figure_table(title: str, figures: Mapping[str, Figure]) -> str:
    """Figures with their 95 % intervals, under what they were measured by."""
    lines, protocols = [], []
    for name, figure in figures.items():
        if (protocol := figure.protocol) not in protocols:
            protocols.append(protocol)
            seen = "" if protocol.features == "pixels" else f", seen through {protocol.features}"
            lines.append(f"  {protocol.samples:,} images beside {protocol.reference}{seen}")
        ends = f"{rounded(figure.low)} to {rounded(figure.high)}"
        lines.append(f"    {name.replace('_', ' '):<22}{rounded(figure.value):>10}  ({ends})")
    return "\n".join([f"{title}, with 95 % intervals", *lines])


def _rows(
    sections: Mapping[str, Mapping[str, Any]], published: Mapping[str, Any]
) -> Iterator[tuple[str, str, str, str]]:
    for section, figures in sections.items():
        units = UNITS.get(section, {})
        for name, value in figures.items():
            unit = units.get(name, "")
            if unit != SETTING and name != "parameters":
                beside = rounded(published[name]) if name in published else ""
                yield name.replace("_", " "), rounded(value), beside, unit


def rounded(value: Any) -> str:
    """A figure to four significant digits; whole numbers and texts as they are."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
