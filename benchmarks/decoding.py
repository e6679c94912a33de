"""How fast photographs become 64×64 images on disk, with and without Pillow's draft mode.

In draft mode the JPEG decoder leaves out detail that scaling would remove. Both ways decode the
same folder in turn, each time into a new cache; then a second start reads the cache. Without
--folder the photographs are made: 178×218 pixels of soft patches with grain, in files as large as
CelebA's.
"""

import argparse
import json
import os
import time
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from report import decoding_table

from common.datasets import ImageFolderData

SIZE = (178, 218)


def write_photographs(folder: Path, count: int) -> None:
    """JPEGs of three octaves of noise."""
    rng = np.random.default_rng(0)
    for number in range(count):
        octaves = [
            np.asarray(
                Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).resize(SIZE),
                np.float32,
            )
            for side in (4, 16, 64)
        ]
        image = np.clip(128 + np.tensordot((0.8, 0.3, 0.1), np.stack(octaves) - 128, 1), 0, 255)
        Image.fromarray(image.astype(np.uint8)).save(folder / f"{number:06}.jpg", quality=85)


def start(folder: Path) -> tuple[float, int]:
    """Seconds until the data are ready, and their number of images."""
    started = time.perf_counter()
    data = ImageFolderData(folder)
    return time.perf_counter() - started, len(data.x_train) + len(data.x_test)


def start_in_new_cache(folder: Path) -> tuple[float, float, int]:
    """Seconds of a first and a second start, and the number of images."""
    with TemporaryDirectory() as home, patch.dict(os.environ, KERAS_HOME=home):
        first, count = start(folder)
        second, _ = start(folder)
    return first, second, count


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="photographs to decode; default: made ones")
    parser.add_argument("--photographs", type=int, default=2000, help="number to make")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the speeds to a file")
    arguments = parser.parse_args()
    whole = partial(patch.object, JpegImageFile, "draft", lambda *_: None)
    drafts = {"draft mode": nullcontext, "whole": whole}
    paces = {name: [] for name in drafts}
    again = []
    with TemporaryDirectory() as place:
        folder = arguments.folder or Path(place)
        if arguments.folder is None:
            write_photographs(folder, arguments.photographs)
        start_in_new_cache(folder)  # Neither should pay for imports and the disk's own cache.
        for _ in range(arguments.rounds):
            for name, drafting in drafts.items():
                with drafting():
                    first, second, count = start_in_new_cache(folder)
                paces[name].append(count / first)
                again.append(second)
    measured = {"images_per_second": paces, "second_start_seconds": again}
    print("\n".join(decoding_table(measured)))
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
