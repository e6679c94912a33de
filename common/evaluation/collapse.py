"""What the modes of a generator's samples say of its training, in words."""

from collections.abc import Sequence

import numpy as np

from common.evaluation.modes import kl_floor, kl_to_uniform, modes_covered

# A class with so many times its share has drawn in the others.
CROWDED = 3.0
# So many of the samples are what a collapsed generator shows.
BULK = 0.8
NAMED = 5
HELP = (
    "The generator collapses onto few modes; more images judged together (a larger pack), a "
    "smaller learning rate of the discriminator and larger batches usually help."
)


def modes_in_words(counts: np.ndarray, class_names: Sequence[str]) -> str:
    """Which modes the samples miss or crowd, and what usually helps where the generator collapses.

    Args:
        counts: samples per mode, int (K,).
        class_names: K names.
    """
    num_modes, samples = len(counts), int(counts.sum())
    covered, kl = modes_covered(counts), kl_to_uniform(counts)
    stand = (
        f"{covered} of {num_modes} modes in {samples:,} samples, KL to uniform {kl:.3f} (a perfect "
        f"sampler's {kl_floor(num_modes, samples):.3f})"
    )
    # exp of the entropy: as many even modes would be as varied. Fewer than half is a collapse, or
    # a tenth that is missing; of a thousand a few seldom show.
    collapsed = covered < 0.9 * num_modes or kl > np.log(2)
    order = np.argsort(-counts, kind="stable")
    crowded = [k for k in order if counts[k] > CROWDED * samples / num_modes]
    if collapsed and not crowded:
        crowded = [*order[: 1 + np.searchsorted(counts[order].cumsum(), BULK * samples)]]
    missing = np.flatnonzero(counts == 0)
    if len(missing):
        stand += f"; missing: {_listed(missing, class_names)}"
    if crowded:
        share = counts[crowded].sum() / samples
        stand += f"; {share:.0%} of the samples show {_listed(crowded, class_names)}"
    return f"{stand}. {HELP}" if collapsed else f"{stand}."


def _listed(modes: Sequence[int], class_names: Sequence[str]) -> str:
    named = ", ".join(class_names[mode] for mode in modes[:NAMED])
    more = len(modes) - NAMED
    return f"{named} and {more} more" if more > 0 else named
