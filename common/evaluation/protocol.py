"""A figure with its interval and the protocol that it was measured by."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from common.errors import InputError


@dataclass(frozen=True)
class Protocol:
    """What a figure depends on beside the model; figures of different protocols do not compare.

    Attributes:
        samples: images that were judged.
        reference: what they were compared with, such as "10,000 test images of mono".
        features: the name and digest of what the images are seen through, or "pixels".
        preprocessing: of the images.
        seed: of the samples' noise.
    """

    samples: int
    reference: str
    features: str = "pixels"
    preprocessing: str = "none"
    seed: int = 0


@dataclass(frozen=True)
class Figure:
    """A measured value, its 95 % interval over bootstrap resamples, and its protocol."""

    value: float
    low: float
    high: float
    protocol: Protocol

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> "Figure":
        """What `as_dict` gave."""
        return cls(**{**known, "protocol": Protocol(**known["protocol"])})


def difference(first: Figure, second: Figure) -> float:
    """How much higher the first value is.

    Raises:
        InputError: they were measured by different protocols; it names what differs.
    """
    ours, theirs = asdict(first.protocol), asdict(second.protocol)
    differing = [
        f"{name} ({ours[name]} and {theirs[name]})" for name in ours if ours[name] != theirs[name]
    ]
    if differing:
        raise InputError(
            f"These figures do not compare, as they differ in {', '.join(differing)}; measure both "
            "by one protocol."
        )
    return first.value - second.value
