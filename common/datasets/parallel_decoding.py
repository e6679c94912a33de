"""Many image files decoded at once, in threads: Pillow decodes and scales outside Python's lock."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from common.datasets.decoding import Box, Decoding
from common.datasets.image_sources import ImageFiles

if TYPE_CHECKING:
    from keras.utils import Progbar

AHEAD = 64
# Seconds before the bar is shown.
PATIENCE = 1.0


class Unreadable(NamedTuple):
    """Why there is no image of a file.

    Attributes:
        why: in a few words.
        passing: whether the file may be readable another time though it stays as it is.
    """

    why: str
    passing: bool


def decode(
    files: ImageFiles, name: str, decoding: Decoding, box: Box | None = None
) -> np.ndarray | Unreadable:
    """The image of one file, or why there is none."""
    from PIL import UnidentifiedImageError

    try:
        with files.open(name) as file:
            return decoding(file, box)
    except UnidentifiedImageError:
        return Unreadable("not an image of a known format", passing=False)
    # Pillow's readers raise errors of almost any type for damaged files.
    except Exception as error:
        # Pillow raises OSError for damaged content too, but only the system's have a number.
        system = getattr(error, "strerror", None)
        passing = system is not None or isinstance(error, MemoryError)
        return Unreadable(system or str(error) or type(error).__name__, passing)


def progress_bar(count: int) -> "Progbar":
    """Keras's, which in a log is a line for every state."""
    from keras.utils import Progbar

    pause = 1.0 if sys.stdout.isatty() else 15.0
    return Progbar(count, interval=pause, unit_name="decoded image")


def decoded(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]
) -> Iterator[np.ndarray | Unreadable]:
    """What `decode` gives for every file, in their order; a few are decoded ahead.

    From `PATIENCE` seconds on, a bar shows how many are done.
    """
    from joblib import cpu_count
    from PIL import Image

    # Pillow finds its readers when they are first needed; threads would do it at the same time.
    Image.init()
    workers = cpu_count()
    pool = ThreadPoolExecutor(workers)
    bar, started, done = None, time.monotonic(), 0
    jobs = (pool.submit(decode, files, name, decoding, boxes.get(name)) for name in files.stamps)
    try:
        waiting = deque(islice(jobs, AHEAD * workers))
        while waiting:
            image = waiting.popleft().result()
            waiting.extend(islice(jobs, 1))
            yield image
            done += 1
            if bar is None and time.monotonic() - started > PATIENCE:
                bar = progress_bar(len(files.stamps))
            if bar is not None:
                bar.update(done)
    finally:
        pool.shutdown(cancel_futures=True)
