"""The look at a GAN's modes during its training that the command line takes."""

from common.evaluation.modes import samples_needed
from common.evaluation.predictability import predicted_classes
from common.jobs.recipe import Recipe
from common.jobs.verification import Judge
from common.training.mode_watcher import ModeWatcher

LOOKS = 10
WATCHED_SAMPLES = 1000


def mode_watchers(judge: Judge | None, recipe: Recipe) -> list[ModeWatcher]:
    """One watcher that looks about ten times in all, where there is a judge."""
    if judge is None:
        return []
    return [
        ModeWatcher(
            lambda images: predicted_classes(judge.net.classify(images))[0],
            judge.class_names,
            max(WATCHED_SAMPLES, samples_needed(judge.num_modes)),
            every=max(1, recipe.epochs // LOOKS),
        )
    ]
