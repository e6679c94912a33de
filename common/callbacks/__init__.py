"""What to pass to `fit`: progress, a film of the samples, a clock, a watch over the modes."""

from common.callbacks.progress import EpochLines, ProgressBar
from common.callbacks.timing import Trace, TrainingClock
from common.callbacks.watching import Film, ModeWatcher

__all__ = ["EpochLines", "Film", "ModeWatcher", "ProgressBar", "Trace", "TrainingClock"]
