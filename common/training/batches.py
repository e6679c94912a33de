"""Batches of arrays in a repeatable order."""

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

    def __getitem__(self, index: int) -> tuple:
        number, place = divmod(self.epoch * self.steps + index, self.pass_steps)
        if number != self.number:
            self.number, self.order = number, self._order(number)
        chosen = self.order[place * self.batch_size : (place + 1) * self.batch_size]
        return tuple(array[chosen] for array in self.arrays)

    def _order(self, number: int) -> np.ndarray:
        rows = np.arange(len(self.arrays[0]))
        if not self.shuffle:
            return rows
        first, *later = self.seeds or (0,)
        return np.random.default_rng([first, number + 1, *later]).permutation(rows)
