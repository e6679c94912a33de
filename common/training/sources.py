"""Sources of batches: `tf.data` datasets, loaders, `PyDataset`s, generators."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError
from common.images import NUMBERS_AT_ONCE
from common.training.inputs import ImageShape, as_array, in_native_order, is_array

# The names of images and labels in the dicts of tensorflow_datasets, Hugging Face and Keras users.
IMAGES = ("image", "images", "x", "pixel_values")
LABELS = ("label", "labels", "y")
ENDLESS = -1  # tf.data's cardinality


def batches_of(source: Any) -> Iterator[Any]:
    """The batches of a source, or an `InputError` if it is none or has none."""
    if isinstance(source, str | bytes | tuple | dict) or not isinstance(source, Iterable):
        raise InputError(
            f"Got a {type(source).__name__}; expected images as an array (N, H, W, C), or a source "
            "of batches of them. Read files, and take containers apart, first."
        )
    batch = None
    for batch in source:
        yield batch
    if batch is None:
        raise InputError("Got a source without batches; expected at least one.")


def parts_of(batch: Any) -> tuple[Any, ...]:
    """A batch in any form as `(images,)` or `(images, labels)`."""
    if not isinstance(batch, dict):
        return tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    found = [[batch[name] for name in names if name in batch] for names in (IMAGES, LABELS)]
    if len(found[0]) != 1 or len(found[1]) > 1:
        raise InputError(
            f"Got batches with the keys {[*batch]}; expected 'image' and 'label'. Make pairs of "
            'them with .map(lambda batch: (batch["image"], batch["label"])).'
        )
    return tuple(found[0] + found[1])


def first_batch(source: Any, image_shape: ImageShape) -> tuple[list[np.ndarray] | None, Any]:
    """The first batch, as (images,) or (images, labels), and the source for Keras to read.

    A generator gets its batch back, dicts become pairs, and images whose shape TensorFlow does not
    know get it. The batch is None if it does not consist of arrays.

    Raises:
        InputError: no source, no batches, or dicts that cannot be taken apart.
    """
    batch = next(batches_of(source))
    parts = parts_of(batch)
    if isinstance(source, Iterator):
        source = given_back(batch, source)
    elif hasattr(source, "element_spec"):
        source = readable(source, image_shape)
    elif isinstance(batch, dict) or not all(map(is_plain, parts)) or is_bare(batch, source):
        raise InputError(
            f"Got a {type(source).__name__} with batches that Keras cannot read here (dicts, bare "
            "tensors, lists of numbers, or another byte order); let it give tuples of arrays, "
            "(images,) or (images, labels)."
        )
    return [np.asarray(as_array(p)) for p in parts] if all(map(is_array, parts)) else None, source


def is_plain(part: Any) -> bool:
    """Whether Keras reads this part of a batch on every backend."""
    native = not isinstance(part, np.ndarray) or part.dtype.isnative
    return part is None or (native and is_array(part) and not isinstance(part, list))


def is_bare(batch: Any, source: Any) -> bool:
    """Whether this is a PyTorch loader's batch that Keras would take for a tuple of its rows."""
    bare = hasattr(source, "collate_fn") and not isinstance(batch, tuple | list)
    return bare and keras.backend.backend() != "torch"


def given_back(batch: Any, rest: Iterator[Any]) -> Iterator[tuple]:
    """All batches of a stream whose first was looked at, in a form that Keras reads."""
    for parts in map(parts_of, itertools.chain([batch], rest)):
        yield tuple(p if is_plain(p) else in_native_order(np.asarray(p)) for p in parts)


def readable(dataset: Any, image_shape: ImageShape) -> Any:
    """A `tf.data` dataset whose batches are tuples, with images of a static shape."""
    shape = getattr(parts_of(dataset.element_spec)[0], "shape", None)
    is_tensorflow = keras.backend.backend() == "tensorflow"
    if is_tensorflow and shape is not None and not shape[1:].is_fully_defined():

        def stated(*batch: Any) -> tuple:
            whole = batch[0] if len(batch) == 1 else batch
            images, *labels = parts_of(whole)
            # To join arrays TensorFlow compares their shapes, when the batch runs.
            none = ops.zeros((0, *image_shape), images.dtype)
            return (ops.concatenate([none, images]), *labels)

        return dataset.map(stated)
    return dataset.map(parts_of) if isinstance(dataset.element_spec, dict) else dataset


def image_blocks(source: Any) -> Iterator[np.ndarray]:
    """The images of all batches, joined to blocks of some 64 MB in float32.

    Raises:
        InputError: no source, no batches, an endless dataset, or images of different shapes.
    """
    if getattr(source, "cardinality", int)() == ENDLESS:
        raise InputError("Got an endless dataset; take a part of it with .take(...).")
    block: list[np.ndarray] = []
    for batch in batches_of(source):
        images = np.asarray(as_array(parts_of(batch)[0]))
        if images.ndim != 4:
            yield images  # To be refused.
        block.append(images)
        if block[-1].shape[1:] != block[0].shape[1:]:
            raise InputError(
                f"Got batches of shape {block[0].shape} and {block[-1].shape}; "
                "expected images of one shape."
            )
        if sum(part.size for part in block) >= NUMBERS_AT_ONCE:
            yield np.concatenate(block)
            block = []
    if block:
        yield np.concatenate(block)
