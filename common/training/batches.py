"""Batches of arrays in a repeatable order, and their row numbers, many batches at once."""

import zlib
from typing import Any

import keras
import numpy as np


class ArrayBatches(keras.utils.PyDataset):
    """Batches of arrays of equal length; the order is a function of the seed and the epoch.

    Args:
        arrays: array-likes that take an integer array as index.
        batch_size: images per batch.
        shuffle: draw a new order for every pass over the arrays.
        drop_remainder: leave out a pass's last batch if it is smaller.
        steps: batches in an epoch; by default those of one pass. An epoch goes on where the one
            before stopped.
    """

    def __init__(
        self,
        arrays: tuple,
        batch_size: int,
        shuffle: bool = False,
        drop_remainder: bool = False,
        steps: int | None = None,
    ):
        super().__init__()
        self.arrays = arrays
        self.batch_size = batch_size
        self.shuffle = shuffle
        count = len(arrays[0])
        self.pass_steps = count // batch_size if drop_remainder else -(-count // batch_size)
        self.steps = steps or self.pass_steps
        self.begin_epoch(0)

    def __len__(self) -> int:
        return self.steps

    def begin_epoch(self, epoch: int, *seeds: int) -> None:
        """Make the next batches those of an epoch, counted from 0, in the orders of these seeds."""
        self.epoch, self.seeds, self.number = epoch, seeds, None
        for array in self.arrays:
            if seeds and (begin := getattr(array, "begin_epoch", None)):
                begin(epoch, *seeds)

    @property
    def has_smaller_last(self) -> bool:
        """Whether the last batch of a pass is smaller."""
        return self.pass_steps * self.batch_size > len(self.arrays[0])

    def digest(self) -> int:
        """A number that hardly two sets of arrays share, by some rows of those in memory."""
        rows = np.linspace(0, len(self.arrays[0]) - 1, 64).astype(int)
        plain = [array for array in self.arrays if isinstance(array, np.ndarray)]
        return zlib.crc32(b"".join(array[rows].tobytes() for array in plain))

    def __getitem__(self, index: int) -> tuple:
        chosen = self.rows(index)
        return tuple(array[chosen] for array in self.arrays)

    def rows(self, index: int) -> np.ndarray:
        """The row numbers of a batch, int (B,)."""
        number, place = divmod(self.epoch * self.steps + index, self.pass_steps)
        if number != self.number:
            self.number, self.order = number, self._order(number)
        return self.order[place * self.batch_size : (place + 1) * self.batch_size]

    def _order(self, number: int) -> np.ndarray:
        rows = np.arange(len(self.arrays[0]))
        if not self.shuffle:
            return rows
        first, *later = self.seeds or (0,)
        return np.random.default_rng([first, number + 1, *later]).permutation(rows)


class Chunks(keras.utils.PyDataset):
    """The row numbers of many batches at once, for a call that takes all their steps.

    An item is `(rows, count)`: int32 `(S, B)`, and how many of these S batches are to be taken. A
    smaller last batch is an item of its own.

    Args:
        batches: whose `steps` are those of one pass, or whose batches are all of one size.
        steps_per_call: the largest S; it is lowered so that items are of about equal size.
        on_device: the batches' arrays, from which the call gathers them.
    """

    def __init__(self, batches: ArrayBatches, steps_per_call: int, on_device: Any):
        super().__init__()
        self.batches, self.on_device = batches, on_device
        self.whole = len(batches) - batches.has_smaller_last
        self.calls = -(-self.whole // steps_per_call)
        self.steps_per_call = -(-self.whole // max(1, self.calls))

    def __len__(self) -> int:
        return self.calls + (self.whole < len(self.batches))

    def __getitem__(self, index: int) -> tuple:
        if index == self.calls:
            return self.batches.rows(self.whole)[None].astype(np.int32), np.int32(1)
        first = index * self.steps_per_call
        taken = range(first, min(first + self.steps_per_call, self.whole))
        rows = np.zeros((self.steps_per_call, self.batches.batch_size), np.int32)
        rows[: len(taken)] = [self.batches.rows(k) for k in taken]
        return rows, np.int32(len(taken))
