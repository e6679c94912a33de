"""One image file as an array of a wanted size, whatever its format, mode, rotation and shape."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Self

import numpy as np

from common.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif")
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
MAX_PIXELS = 2**26
FITS = ("crop", "pad")

_ORIENTATION = 0x0112
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
_TURNS_TO_THE_SIDE = (5, 6, 7, 8)

# Left, top, right, bottom, in pixels of the upright picture.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Decoding:
    """How a file becomes an image uint8 (height, width, channels).

    A rotation noted in the EXIF data is applied; of several frames the first is taken; transparent
    parts and padding are white; 16 bits are scaled to 8; CMYK, palettes and grey become RGB, or
    with one channel everything becomes grey (ITU-R 601). The picture is scaled with antialiasing
    (bicubic); a JPEG that is at least twice too large is scaled by half, a quarter or an eighth
    within its decoder.

    Attributes:
        height, width, channels: of the image; channels is 1 or 3.
        fit: "crop" takes the largest rectangle of the image's shape from the middle of the picture,
            or around a given box; "pad" takes the whole picture, or box, and pads it.
        part: the share of the sides of that rectangle that is taken, around its middle.
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
            InputError: a size that is none, other channels than 1 and 3, another fit.
        """
        sides = size if isinstance(size, tuple | list) else (size, size)
        if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
            raise InputError(f"size={size!r} is no size: give a side, or (height, width), from 1.")
        if channels not in (1, 3):
            raise InputError(f"channels={channels!r}: give 3 for colour or 1 for grey.")
        if fit not in FITS:
            raise InputError(f"fit={fit!r} is unknown: give one of {', '.join(FITS)}.")
        return cls(*sides, channels, fit, part)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return self.height, self.width, self.channels

    def __call__(self, file: BinaryIO, box: Box | None = None) -> np.ndarray:
        """The image of an open file, uint8 `shape`.

        Raises:
            Exception: of almost any type, as Pillow's readers raise them for damaged files.
            ValueError: more than `MAX_PIXELS` pixels (which are then not decoded), or a box outside
                the picture.
        """
        from PIL import Image

        with Image.open(file, formats=FORMATS) as image:
            stored = image.size
            if stored[0] * stored[1] > MAX_PIXELS:
                raise ValueError(f"its {stored[0]}×{stored[1]} pixels are more than {MAX_PIXELS:,}")
            turn = _orientation(image)
            upright = stored[::-1] if turn in _TURNS_TO_THE_SIDE else stored
            region = self._region(*upright, box)
            shown = self._shown(region)
            scale = _draft(image, self._mode, (region[2] - region[0]) / shown[0])
            if turn in _TURNS:
                image = image.transpose(Image.Transpose[_TURNS[turn]])
            image = _flat(image, self._mode)
            # Rounding must not put the region outside the picture.
            edges = [min(e / scale, side) for e, side in zip(region, image.size * 2, strict=True)]
            image = image.resize(shown, Image.Resampling.BICUBIC, box=edges)
        if shown != (self.width, self.height):
            canvas = Image.new(image.mode, (self.width, self.height), "white")
            canvas.paste(image, ((self.width - shown[0]) // 2, (self.height - shown[1]) // 2))
            image = canvas
        return np.array(image).reshape(self.shape)

    @property
    def _mode(self) -> str:
        return "L" if self.channels == 1 else "RGB"

    def _region(self, width: int, height: int, box: Box | None) -> Box:
        """What is shown of an upright picture of this size."""
        left, top, right, bottom = box or (0, 0, width, height)
        left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
        if right - left < 1 or bottom - top < 1:
            raise ValueError(f"its box {box} lies outside its {width}×{height} pixels")
        across, down = right - left, bottom - top
        if self.fit == "crop":
            # Around the whole box, as far as the picture reaches.
            unit = max(across / self.width, down / self.height)
            unit = min(unit, width / self.width, height / self.height)
            across, down = unit * self.width, unit * self.height
        across, down = across * self.part, down * self.part
        # Rounding may make the region a hair wider than the picture: not below 0 comes last.
        left = max(0, min((left + right - across) / 2, width - across))
        top = max(0, min((top + bottom - down) / 2, height - down))
        return left, top, left + across, top + down

    def _shown(self, region: Box) -> tuple[int, int]:
        """The width and height of a region in the image."""
        if self.fit == "crop":
            return self.width, self.height
        across, down = region[2] - region[0], region[3] - region[1]
        unit = max(across / self.width, down / self.height)
        return max(1, round(across / unit)), max(1, round(down / unit))


def _orientation(image: "Image") -> int:
    try:
        return image.getexif().get(_ORIENTATION, 1)
    # Pillow raises almost anything for damaged EXIF data, behind which the pixels may be whole.
    except Exception:
        return 1


def _draft(image: "Image", mode: str, reduction: float) -> float:
    """Let a JPEG be decoded smaller, at most by `reduction`; returns by what."""
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
