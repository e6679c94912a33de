"""Names, titles and captions as text: no markup, short, in fonts that have their letters."""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from matplotlib import rcParams
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.legend import Legend

from common.errors import InputError, printable

NAME = 24  # letters; longer names would leave a chart no room
LINE = 120  # letters of a title


def as_text(texts: Iterable[Any], longest: int = LINE) -> tuple[list[str], dict[str, Any]]:
    """The texts as Matplotlib can draw them, and the properties that draw them as they stand.

    Lines beyond `longest` letters lose their middle.
    """
    lines = [[printable(line) for line in str(text).split("\n")] for text in texts]
    shown = ["\n".join(_shortened(line, longest) for line in text) for text in lines]
    letters = frozenset(c for c in "".join(shown) if not c.isascii())
    families = _families(letters, tuple(rcParams["font.family"]))
    return shown, {"parse_math": False, "usetex": False, "family": [*families]}


def headed(title: str | None, line: str) -> str:
    """A caller's title, if any, above a line that says what is drawn."""
    return f"{title}\n{line}" if title is not None else line


def names_of(classes: Iterable[int], class_names: Sequence[str] | None) -> list[str]:
    """Each class's name, on one line and never empty; its number if there are no names.

    Raises:
        InputError: a class without a name.
    """
    numbers = [int(label) for label in classes]
    if class_names is None:
        return [str(number) for number in numbers]
    try:
        named: Any = class_names if hasattr(class_names, "keys") else enumerate(class_names)
        table = dict(named)
        names = [table[number] for number in numbers]
    except (KeyError, TypeError):
        raise InputError(
            f"class_names lacks some of the classes, which go from {min(numbers)} to "
            f"{max(numbers)}; expected a sequence with a name for each, indexed by class."
        ) from None
    return [" ".join(str(name).split()) or "(no name)" for name in names]


def set_names(axis: Axis, names: Sequence[str]) -> None:
    """Name the places 0, 1, … of an axis."""
    shown, look = as_text(names, NAME)
    # Words need more room than digits.
    if isinstance(axis, XAxis) and max(map(len, shown)) > 4:
        look |= {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
    axis.set_ticks(range(len(shown)), shown, **look)


def add_legend(
    axes: Axes, handles: Sequence[Artist], names: Iterable[Any], longest: int = NAME, **style: Any
) -> Legend:
    """A legend of every handle, also of those whose names Matplotlib would hide or interpret."""
    shown, look = as_text(names, longest)
    legend = axes.legend(handles, ["name"] * len(shown), **style)
    for text, name in zip(legend.get_texts(), shown, strict=True):
        text.set(text=name, **look)
    return legend


def _shortened(line: str, longest: int) -> str:
    # Chinese, Japanese and Korean letters are twice as wide.
    wide = [1 + (unicodedata.east_asian_width(c) in "WF") for c in line]
    if sum(wide) <= longest:
        return line
    half = longest // (2 * max(wide))
    return f"{line[:half]}…{line[1 - half :]}"


@cache
def _families(letters: frozenset[str], usual: tuple[str, ...]) -> tuple[str, ...]:
    """The usual font families, and installed ones for letters that these lack."""
    families, missing = [*usual], set(letters)
    for family in usual:
        missing -= _letters_of(findfont(FontProperties(family=[family])), missing)
    upright = (
        e for e in fontManager.ttflist if e.style == "normal" and "Last Resort" not in e.name
    )
    for entry in sorted(upright, key=lambda entry: entry.weight not in (400, "normal", "regular")):
        if not missing:
            break
        if found := _letters_of(entry.fname, missing):
            families.append(entry.name)
            missing -= found
    return tuple(families)


def _letters_of(path: str, letters: set[str]) -> set[str]:
    try:
        font = get_font(path)
    except (OSError, RuntimeError):
        # Uninstalled since Matplotlib listed the fonts, or of a kind that it cannot draw.
        return set()
    return {letter for letter in letters if font.get_char_index(ord(letter))}
