"""Checks of what users feed to a model; each refuses bad input with a sentence that helps."""

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError

CHECKED_AT_ONCE = 4096

ImageShape = tuple[int, int, int]


def is_array(x: Any) -> bool:
    """Whether `x` is an array, tensor, list or lazy array rather than a source of batches."""
    return isinstance(x, list) or (hasattr(x, "shape") and hasattr(x, "dtype"))


def as_array(x: Any) -> Any:
    """Lists and any library's tensors as NumPy arrays; lazy arrays and memory maps unchanged."""
    if ops.is_tensor(x):
        return ops.convert_to_numpy(x)
    if isinstance(x, list):
        try:
            return np.asarray(x)
        except ValueError as error:
            raise InputError("Got a list of arrays of different shapes; make them one.") from error
    return np.asarray(x) if hasattr(x, "numpy") else x


def check_batch_shape(shape: tuple, image_shape: ImageShape) -> None:
    """Raise an `InputError` unless `shape` is `(N, *image_shape)`."""
    if tuple(shape[1:]) == tuple(image_shape):
        return
    hint = "build the model with the images' own shape, or resize the images"
    if len(shape) == 3 and image_shape[-1] == 1:
        hint = "add the channel axis with images[..., None]"
    taken = ", ".join(map(str, image_shape))
    raise InputError(f"Got images of shape {tuple(shape)}; this model takes (N, {taken}): {hint}.")


def check_images(images: Any, image_shape: ImageShape) -> Any:
    """Images `(N, H, W, C)` as an array, uint8 in 0..255 or float in [0, 1].

    Raises:
        InputError: wrong rank, size, number of channels or dtype, no images, values outside the
            range, or NaN.
    """
    images = as_array(images)
    check_batch_shape(images.shape, image_shape)
    if len(images) == 0:
        raise InputError("Got an empty array of images; expected at least one.")
    if images.dtype == np.uint8:
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise InputError(
            f"Got images of dtype {images.dtype}; expected uint8 (0 to 255) or float (0 to 1)."
        )
    for start in range(0, len(images), CHECKED_AT_ONCE):
        part = images[start : start + CHECKED_AT_ONCE]
        low, high = np.min(part), np.max(part)
        if not np.isfinite(low + high):
            raise InputError("The images hold NaN or infinite pixels; remove or repair them first.")
        if low < 0 or high > 1:
            raise InputError(
                f"Got float images between {low:.3g} and {high:.3g}; expected 0 to 1. "
                "Divide 0 to 255 by 255, or pass them as uint8."
            )
    return images


def require_labels(labels: Any, num_classes: int) -> None:
    """Raise an `InputError` if there are no labels."""
    if labels is None:
        raise InputError(
            f"This model has a classifier of {num_classes} classes and got no labels; "
            "pass them as y, or build the model without num_classes."
        )


def check_labels(labels: Any, count: int, num_classes: int) -> np.ndarray:
    """Integer class labels `(N,)` of `count` images; `(N, 1)` is flattened.

    Raises:
        InputError: no labels, another length, not integers, or outside `0 .. num_classes - 1`.
    """
    require_labels(labels, num_classes)
    labels = np.asarray(as_array(labels))
    if labels.size != count or labels.shape[0] != count:
        raise InputError(
            f"Got labels of shape {labels.shape} for {count} images; expected ({count},)."
        )
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(f"Got labels of dtype {labels.dtype}; expected integers.")
    if labels.min() < 0 or labels.max() >= num_classes:
        raise InputError(
            f"Got labels from {labels.min()} to {labels.max()}; "
            f"expected 0 to {num_classes - 1} (num_classes={num_classes})."
        )
    return labels.reshape(count)


def first_batch(source: Any) -> Sequence | None:
    """The first batch of a source of batches as arrays: (images,) or (images, labels).

    None if reading it would lose it (a stream, which has no length), and for anything that is not a
    source of arrays.
    """
    try:
        if not len(source):
            return None
        is_dataset = isinstance(source, keras.utils.PyDataset)
        batch = source[0] if is_dataset else next(iter(source))
        parts = batch if isinstance(batch, tuple | list) else (batch,)
        if not all(map(is_array, parts)):
            return None
        parts = [np.asarray(as_array(part)) for part in parts]
    except TypeError:
        return None
    return [part.astype("float32") if part.dtype == "bfloat16" else part for part in parts]


def non_negative(name: str, value: float) -> float:
    """A weight or scale, or an `InputError` if it is negative or not finite."""
    if not 0 <= value < math.inf:
        raise InputError(f"Got {name}={value}; expected a finite number of at least 0.")
    return value


def checked_image_shape(image_shape: Sequence[int]) -> ImageShape:
    """`image_shape` as a tuple of three `int`s, or an `InputError`."""
    sides = tuple(image_shape) if isinstance(image_shape, Sequence | np.ndarray) else ()
    if len(sides) != 3 or not all(isinstance(side, Integral) and side > 0 for side in sides):
        raise InputError(
            f"Got image_shape={image_shape}; expected (height, width, channels), e.g. (28, 28, 1)."
        )
    height, width, channels = map(int, sides)
    return height, width, channels
