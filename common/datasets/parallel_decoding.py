"""Many image files decoded at once, in threads: Pillow decodes and scales outside Python's lock."""

import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common.datasets.decoding import Box, Decoding
from common.datasets.image_sources import ImageFiles

AT_ONCE = 16
AHEAD = 4


def decode(
    files: ImageFiles, name: str, decoding: Decoding, box: Box | None = None
) -> np.ndarray | str:
    """The image of one file, or in a few words why there is none."""
    from PIL import UnidentifiedImageError

    try:
        with files.open(name) as file:
            return decoding(file, box)
    except UnidentifiedImageError:
        return "not an image of a known format"
    # Pillow's readers raise errors of almost any type for damaged files.
    except Exception as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__


def decoded(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]
) -> Iterator[np.ndarray | str]:
    """What `decode` gives for every file, in their order; a few are decoded ahead.

    What takes longer than `Progress.PATIENCE` says on the standard output how far it is.
    """
    from PIL import Image

    # Pillow finds its readers when they are first needed; threads would do it at the same time.
    Image.init()
    names = list(files.stamps)
    workers = os.cpu_count() or 1
    pool = ThreadPoolExecutor(workers)
    waiting = deque()
    progress = Progress(len(names))

    def some(start: int) -> list[np.ndarray | str]:
        chosen = names[start : start + AT_ONCE]
        return [decode(files, name, decoding, boxes.get(name)) for name in chosen]

    try:
        for start in range(0, len(names), AT_ONCE):
            waiting.append(pool.submit(some, start))
            if len(waiting) > AHEAD * workers:
                yield from waiting.popleft().result()
                progress.show(start)
        while waiting:
            yield from waiting.popleft().result()
        progress.end()
    finally:
        pool.shutdown(cancel_futures=True)


class Progress:
    """How many of the images are decoded: on a terminal one line that counts, else a line at times.

    Attributes:
        PATIENCE: seconds before the first line.
        PAUSES: seconds between lines, on a terminal and elsewhere.
    """

    PATIENCE = 2.0
    PAUSES = 0.2, 15.0

    def __init__(self, total: int):
        self.total = total
        self.started = time.monotonic()
        self.next = self.started + self.PATIENCE
        self.shown = False

    def show(self, done: int) -> None:
        """Say that `done` are decoded, unless it was said just now."""
        now = time.monotonic()
        if now < self.next:
            return
        terminal = sys.stdout.isatty()
        self.shown = True
        self.next = now + self.PAUSES[0 if terminal else 1]
        rate = done / (now - self.started)
        line = f"Decoding images: {done:,} of {self.total:,} ({rate:,.0f}/s)"
        print(f"\r{line}", end="  ") if terminal else print(line)
        sys.stdout.flush()

    def end(self) -> None:
        """Say that all are decoded, if it was long enough to speak of."""
        if self.shown:
            seconds = time.monotonic() - self.started
            start = "\r" if sys.stdout.isatty() else ""
            line = f"Decoded {self.total:,} images in {seconds:,.0f} s; the next start finds them."
            print(f"{start}{line}")
