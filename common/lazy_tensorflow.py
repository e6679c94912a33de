"""Keras without the import of TensorFlow, which takes four seconds and half a gigabyte."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from keras.src.utils import module_utils


@contextmanager
def without_tensorflow() -> Iterator[None]:
    """Within the block, Keras does not import TensorFlow to seed it or to ask what is its own.

    Where it is not imported yet, nothing is.
    """
    lazy = module_utils.tensorflow
    before = lazy._available
    if "tensorflow" not in sys.modules:
        lazy._available = False
    try:
        yield
    finally:
        lazy._available = before
