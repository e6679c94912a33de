"""What a GAN's training history and its samples' modes say about the training, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from common.errors import as_counts, as_texts, printable
from common.evaluation.modes import kl_floor, kl_to_uniform, modes_covered
from common.metrics import MetricKind, history_table, kinds_of

STALLED_EPOCHS = 3
NAMED = 5
HELP = (
    "The generator has collapsed onto few modes; what usually helps: a discriminator that judges "
    "several images at once (--pack 2), softer labels for a DCGAN (--label-smoothing 0.1), or a "
    "longer training (more --epochs)."
)


def balance(history: Any, kinds: Mapping[str, MetricKind] | None = None) -> str:
    """Read a GAN's training history: which player was ahead at the end, and what usually helps.

    The verdict comes from a distance, or from the probabilities or scores of real and generated
    images. Without them the text is the players' losses.

    Args:
        history: as `history_table` takes it, with at least one epoch.
        kinds: what the metrics mean, the model's `metric_kinds`; None for `kinds_of` the history.
    """
    table, _ = history_table(history)
    recorded = {name: kind for name, kind in kinds_of(history, kinds).items() if name in table}
    for name in recorded:
        if not np.isfinite(table[name][-1]):
            return (
                f"Last epoch: {_said(name)} {table[name][-1]}. The training has diverged; start "
                "again with smaller learning rates (--lr)."
            )
    values = {kind: table[name][np.isfinite(table[name])] for name, kind in recorded.items()}
    if MetricKind("distance") in values:
        return _of_distance(values[MetricKind("distance")])
    for kind in ("probability", "score"):
        real, fake = MetricKind(kind, "real"), MetricKind(kind, "fake")
        if real in values and fake in values:
            return _of_outputs(values[real], values[fake], kind == "probability")
    losses = [name for name, kind in recorded.items() if kind == MetricKind("player loss")]
    if not losses:
        return "No metric says how the two players stand."
    said = [f"{_said(name)} {table[name][-1]:.4g}" for name in losses]
    return f"Last epoch: {', '.join(said)}."


def _said(metric: str) -> str:
    return printable(metric.replace("_", " "))


def _of_distance(distances: np.ndarray) -> str:
    """The verdict on a critic's distance after each epoch, (E,)."""
    peak, end = distances.max(), distances[-1]
    stand = f"Critic's distance: {end:.4g}"
    if len(distances) < STALLED_EPOCHS:
        return f"{stand}."
    if peak <= 0:
        return (
            f"{stand}: the critic does not tell real from generated images; give it more steps "
            "(n_critic) or a larger learning rate."
        )
    if end < 0.5 * peak:
        return f"{stand}, down from {peak:.4g}: the generator gains."
    return (
        f"{stand} of at most {peak:.4g}: the generator gains little; train longer, or raise both "
        "learning rates together."
    )


def _of_outputs(reals: np.ndarray, fakes: np.ndarray, probabilities: bool) -> str:
    """The verdict on the discriminator's mean outputs after each epoch, (E,) each."""
    real, fake = reals[-1], fakes[-1]
    stand = f"D(real) {real:.2f}, D(fake) {fake:.2f}: "
    if abs(real - fake) < 0.15:
        return stand + "the discriminator hardly tells them apart; the players are even."
    # Scores near 0 still teach the generator; probabilities near 0 no longer do.
    long_enough = probabilities and len(fakes) >= STALLED_EPOCHS
    if long_enough and (fakes[-STALLED_EPOCHS:] < 0.02).all():
        return stand + (
            "the generator has stalled: the discriminator rejects every sample; start again with "
            "softer labels (--label-smoothing 0.1) or a smaller learning rate for the "
            "discriminator, or try wgan."
        )
    if real > 0.9 and fake < 0.1:
        smoothing = ", or soften its labels (--label-smoothing 0.1)" if probabilities else ""
        return stand + f"the discriminator wins; lower its learning rate{smoothing}."
    return stand + "both players learn."


def modes_in_words(counts: np.ndarray, class_names: Sequence[str], early: bool = False) -> str:
    """Which modes are missing or crowded, with advice if the generator has collapsed.

    Args:
        counts: samples per mode, int (K,).
        class_names: K names.
        early: the training has hardly begun, so a collapse says nothing yet.
    """
    counts = as_counts("The counts", counts)
    class_names = [*map(printable, as_texts("class_names", class_names, len(counts)))]
    num_modes, samples = len(counts), int(counts.sum())
    covered, kl = modes_covered(counts), kl_to_uniform(counts)
    stand = (
        f"{covered} of {num_modes} modes in {samples:,} samples, KL to uniform {kl:.3f} (a perfect "
        f"sampler's {kl_floor(num_modes, samples):.3f})"
    )
    # With KL > log 2, fewer than half of the modes at equal frequency would be as varied. A tenth
    # must be missing, as a few of 1,000 modes seldom show.
    collapsed = covered < 0.9 * num_modes or kl > np.log(2)
    if collapsed and early:
        return f"{covered} of {num_modes} modes in {samples:,} samples; too early to judge."
    order = np.argsort(-counts, kind="stable")
    # The modes with over three times their share or, after a collapse, with 80 % of the samples.
    crowded = [k for k in order if counts[k] > 3 * samples / num_modes]
    if collapsed and not crowded:
        crowded = [*order[: 1 + np.searchsorted(counts[order].cumsum(), 0.8 * samples)]]
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        stand += f"; missing: {_listed(missing, class_names)}"
    if crowded:
        share = counts[crowded].sum() / samples
        stand += f"; {share:.0%} of the samples show {_listed(crowded, class_names)}"
    return f"{stand}. {HELP}" if collapsed else f"{stand}."


def _listed(modes: Sequence[int] | np.ndarray, class_names: Sequence[str]) -> str:
    named = ", ".join(class_names[mode] for mode in modes[:NAMED])
    more = len(modes) - NAMED
    return f"{named} and {more} more" if more > 0 else named
