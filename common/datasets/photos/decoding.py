"""Image files of any format, mode, rotation and shape as arrays of a given size."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np

from common.datasets.files import first_sentence
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

BLOCK = 256  # images decoded ahead at most, which bounds the memory
PATIENCE = 1.0  # seconds before a progress bar is shown

# By the EXIF orientation; from 5 on, width and height are swapped.
_TURNS = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"
_TURN_OF = dict(enumerate(_TURNS.split(), start=2))

# Left, top, right, bottom, in pixels of the upright picture.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Decoding:
    """How a file becomes an image uint8 (height, width, channels).

    Rotations in the EXIF data are applied. Only the first frame is used. Transparent parts and
    padding become white, and 16 bits become 8. Three channels are RGB, one is grey (ITU-R 601).
    Scaling is bicubic with antialiasing; the decoder of a JPEG that is at least twice too large
    already scales it by 1/2, 1/4 or 1/8.

    Attributes:
        height, width, channels: of the image; channels is 1 or 3.
        fit: "crop" takes the largest rectangle of the image's shape from the middle of the picture,
            or around a given box; "pad" takes the whole picture, or box, and pads it.
        part: the share of that rectangle's sides to show, around its middle.
    """

    height: int
    width: int
    channels: int
    fit: str
    part: float = 1.0

    @classmethod
    def of(
        cls, size: int | tuple[int, int], channels: int = 3, fit: str = "crop", part: float = 1.0
    ) -> Self:
        """The decoding that a dataset's options ask for; `size` is a side or (height, width).

        Raises:
            InputError: an option has a value that is not allowed.
        """
        sides = size if isinstance(size, tuple | list) else (size, size)
        if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
            raise InputError(f"size={size!r} is no size: give a side, or (height, width), from 1.")
        if channels not in (1, 3):
            raise InputError(f"channels={channels!r}: give 3 for colour or 1 for grey.")
        if fit not in ("crop", "pad"):
            raise InputError(f"fit={fit!r} is unknown: give one of crop, pad.")
        return cls(*sides, channels, fit, part)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    def __call__(self, file: BinaryIO, box: Box | None = None) -> np.ndarray:
        """The image of an open file, uint8 `shape`.

        Damaged or huge files raise almost any exception; a box outside the picture a ValueError.
        """
        from PIL import Image

        with Image.open(file, formats=("JPEG", "PNG", "WEBP", "BMP", "GIF")) as image:
            turn = _orientation(image)
            width, height = image.size[::-1] if turn in (5, 6, 7, 8) else image.size
            left, top, right, bottom = self._region(width, height, box)
            # Its size in the image: all of it, unless it is padded.
            across, down = right - left, bottom - top
            unit = max(across / self.width, down / self.height)
            shown = max(1, round(across / unit)), max(1, round(down / unit))
            mode = "L" if self.channels == 1 else "RGB"
            scale = _draft(image, mode, across / shown[0])
            if turn in _TURN_OF:
                image = image.transpose(Image.Transpose[_TURN_OF[turn]])
            image = _flat(image, mode)
            # Rounding must not put the region outside the picture.
            right, bottom = min(right / scale, image.width), min(bottom / scale, image.height)
            region = left / scale, top / scale, right, bottom
            image = image.resize(shown, Image.Resampling.BICUBIC, box=region)
        canvas = Image.new(mode, (self.width, self.height), "white")
        canvas.paste(image, ((self.width - shown[0]) // 2, (self.height - shown[1]) // 2))
        return np.array(canvas).reshape(self.shape)

    def _region(self, width: int, height: int, box: Box | None) -> Box:
        """The part to show of an upright picture of this size."""
        left, top, right, bottom = box or (0, 0, width, height)
        left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
        if right - left < 1 or bottom - top < 1:
            raise ValueError(f"its box {box} lies outside its {width}×{height} pixels")
        across, down = right - left, bottom - top
        if self.fit == "crop":
            # It contains the box, unless the picture is too small.
            unit = max(across / self.width, down / self.height)
            unit = min(unit, width / self.width, height / self.height)
            across, down = unit * self.width, unit * self.height
        across, down = across * self.part, down * self.part
        # max() comes last: rounding may make the region slightly wider than the picture.
        left = max(0, min((left + right - across) / 2, width - across))
        top = max(0, min((top + bottom - down) / 2, height - down))
        return left, top, left + across, top + down


def decode(
    files: ImageFiles, name: str, decoding: Decoding, box: Box | None = None
) -> np.ndarray | str:
    """The image of one file, or why there is none."""
    from PIL import UnidentifiedImageError

    try:
        with files.open(name) as file:
            return decoding(file, box)
    except UnidentifiedImageError:
        return "not an image of a known format"
    # Pillow's readers raise errors of almost any type for damaged files.
    except Exception as error:
        text = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return first_sentence(text)


def decoded(
    files: ImageFiles, decoding: Decoding, boxes: dict[str, Box]
) -> Iterator[np.ndarray | str]:
    """What `decode` gives for every file, in their order; long jobs show Keras's progress bar."""
    from PIL import Image

    Image.init()  # Pillow looks for its readers when first needed; threads would do it at once.
    names, started, bar = list(files.stamps), time.monotonic(), None
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(names), BLOCK):
            block = names[start : start + BLOCK]
            images = pool.map(lambda n: decode(files, n, decoding, boxes.get(n)), block)
            for done, image in enumerate(images, start + 1):
                yield image
                if bar is None and time.monotonic() - started > PATIENCE:
                    from keras.utils import Progbar

                    # In a log, every update is a line.
                    pause = 1.0 if sys.stdout.isatty() else 15.0
                    bar = Progbar(len(names), interval=pause, unit_name="decoded image")
                if bar is not None:
                    bar.update(done)


def _orientation(image: "Image") -> int:
    try:
        return image.getexif().get(0x0112, 1)
    # Pillow raises almost any type for damaged EXIF data. The pixels may still be fine.
    except Exception:
        return 1


def _draft(image: "Image", mode: str, reduction: float) -> float:
    """Make a JPEG's decoder scale it down, at most by `reduction`; returns the factor."""
    scale = next(scale for scale in (8, 4, 2, 1) if scale <= max(1, reduction))
    width, height = image.size
    drafted = image.draft(mode, (max(1, width // scale), max(1, height // scale)))
    return 1 if drafted is None else width / drafted[1][2]


def _flat(image: "Image", mode: str) -> "Image":
    """The image in 8 bits, on white where it is transparent, in `mode`."""
    from PIL import Image

    # Pillow's own conversion would clip 16 bits at 255.
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        grey = np.round(levels.astype(np.float32) / 257).astype(np.uint8)
        grey[levels == image.info.get("transparency", -1)] = 255
        image = Image.fromarray(grey)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)
