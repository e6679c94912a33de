"""Checks of what users feed to a model; each refuses bad input with a sentence that helps."""

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
from keras import ops

from common.errors import InputError
from common.images import Rows

CHECKED_AT_ONCE = 4096
# Rounding and resizing put pixels a hair outside the range.
HAIR = 1e-6
# What every backend takes as it is.
PLAIN = ("bool", "uint8", "float16", "float32", "float64")

ImageShape = tuple[int, int, int]


def is_array(x: Any) -> bool:
    """Whether `x` is an array, tensor, list, table or lazy array, not a source of batches."""
    if isinstance(x, list) or hasattr(x, "__array__") or hasattr(x, "__array_interface__"):
        return True
    return hasattr(x, "shape") and hasattr(x, "dtype")


def as_array(x: Any) -> Any:
    """Lists, tables and any library's tensors as NumPy arrays; lazy arrays as they are.

    Raises:
        InputError: arrays of different shapes, masked values, or a tensor that NumPy cannot read.
    """
    is_lazy = hasattr(x, "shape") and hasattr(x, "dtype") and not hasattr(x, "numpy")
    if np.ma.isMaskedArray(x):
        if np.ma.is_masked(x):
            raise InputError("Got a masked array; fill what is masked first, with .filled(...).")
        x = x.data
    elif ops.is_tensor(x):
        x = ops.convert_to_numpy(x)
    elif not is_lazy or x.dtype.kind == "O":
        try:
            x = np.asarray(list(x) if hasattr(x, "dtype") and np.ndim(x) else x)
        except ValueError as error:
            raise InputError("Got a list of arrays of different shapes; make them one.") from error
        except (TypeError, RuntimeError) as error:
            raise InputError(
                f"Got a {type(x).__name__} that NumPy cannot read ({error}); pass a NumPy array."
            ) from error
    return x.astype("float32") if x.dtype == "bfloat16" else x


def shape_hint(shape: tuple, image_shape: ImageShape) -> str:
    """What to do about images of this shape."""
    height, width, channels = image_shape
    if len(shape) < 2:
        return "read the images first, and join them with np.stack"
    if shape == image_shape:
        return "add a single image's batch axis with images[None], or batch the dataset"
    if shape == (height, width) and channels == 1:
        return "add the axes of the batch and of the channel with images[None, ..., None]"
    if len(shape) == 3 and channels == 1:
        return "add the channel axis with images[..., None]"
    if len(shape) == 4 and shape[1] == channels != shape[3]:
        return (
            "the channels come first; move them with images.transpose(0, 2, 3, 1), in PyTorch "
            "images.permute(0, 2, 3, 1)"
        )
    if shape == (channels, height, width):
        return "move a single image's channels to the end with images.transpose(1, 2, 0)[None]"
    if len(shape) == 2 and shape[1] == math.prod(image_shape):
        return f"give the pixels their places with np.reshape(images, {(-1, *image_shape)})"
    return "build the model with the images' own shape, or resize the images"


def check_batch_shape(shape: Any, image_shape: ImageShape) -> None:
    """Raise an `InputError` unless `shape` is `(N, *image_shape)`."""
    taken = ", ".join(map(str, image_shape))
    if getattr(shape, "rank", 0) is None or None in tuple(shape)[1:]:
        raise InputError(
            f"TensorFlow does not know the shape of the images in this dataset, {shape}; state it "
            f"there with tf.ensure_shape(images, (None, {taken}))."
        )
    shape = tuple(shape)
    if shape[1:] != tuple(image_shape):
        hint = shape_hint(shape, image_shape)
        raise InputError(f"Got images of shape {shape}; this model takes (N, {taken}): {hint}.")


def check_images(images: Any, image_shape: ImageShape) -> Any:
    """Images `(N, H, W, C)` as an array: uint8 in 0..255, float in [0, 1] within 1e-6, or bool.

    Raises:
        InputError: wrong rank, size, number of channels or dtype, no images, values outside the
            range, or NaN.
    """
    images = as_array(images)
    check_batch_shape(images.shape, image_shape)
    if len(images) == 0:
        raise InputError("Got an empty array of images; expected at least one.")
    if images.dtype in (np.uint8, np.bool_):
        return images
    if not np.issubdtype(images.dtype, np.floating):
        raise InputError(
            f"Got images of dtype {images.dtype}; expected uint8 (0 to 255) or float (0 to 1). "
            "Whole numbers to 255 become uint8 with images.astype('uint8'); divide larger ones."
        )
    for start in range(0, len(images), CHECKED_AT_ONCE):
        part = np.asarray(images[start : start + CHECKED_AT_ONCE])
        low, high = np.min(part), np.max(part)
        if not np.isfinite(low + high):
            raise InputError("The images hold NaN or infinite pixels; remove or repair them first.")
        if low < -HAIR or high > 1 + HAIR:
            hint = "Divide 0 to 255 by 255, or pass them as uint8."
            if high < 2:
                hint = (
                    "Scale -1 to 1 by (images + 1) / 2; clip overshoots by np.clip(images, 0, 1)."
                )
            raise InputError(
                f"Got float images between {low:.7g} and {high:.7g}; expected 0 to 1. {hint}"
            )
    return images


def plain_rows(images: Any) -> Any:
    """Checked images in a form whose batches every backend takes."""
    if isinstance(images, np.ndarray) and images.dtype.isnative and images.dtype.name in PLAIN:
        return images
    return Rows(images)


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
        InputError: no labels, another length, not whole, or outside `0 .. num_classes - 1`.
    """
    require_labels(labels, num_classes)
    labels = np.asarray(as_array(labels))
    if labels.size != count or labels.shape[:1] != (count,):
        hint = "; one-hot labels become integers with labels.argmax(-1)" if labels.ndim == 2 else ""
        raise InputError(
            f"Got labels of shape {labels.shape} for {count} images; expected ({count},){hint}."
        )
    given = labels
    if labels.dtype.kind in "fb" and np.isfinite(labels).all():
        labels = labels.astype("int64")
    if labels.dtype.kind not in "iu" or (labels != given).any():
        raise InputError(
            f"Got labels of dtype {given.dtype}; expected integers. Values of any other kind are "
            "numbered by np.unique(labels, return_inverse=True)[1]."
        )
    if labels.min() < 0 or labels.max() >= num_classes:
        raise InputError(
            f"Got labels from {labels.min()} to {labels.max()}; "
            f"expected 0 to {num_classes - 1} (num_classes={num_classes})."
        )
    labels = in_native_order(labels.reshape(count))
    return labels.astype("int64") if labels.dtype == "uint64" else labels  # as PyTorch wants it


def in_native_order(array: np.ndarray) -> np.ndarray:
    """An array of the machine's byte order."""
    return array.astype(array.dtype.newbyteorder("="), copy=False)


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
