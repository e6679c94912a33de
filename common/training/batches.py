"""Batches of arrays in a repeatable order."""

import keras
import numpy as np


class ArrayBatches(keras.utils.PyDataset):
    """Batches of arrays of equal length; the order is a function of the seed and the epoch.

    Args:
        arrays: array-likes that take an integer array as index.
        batch_size: images per batch.
        shuffle: draw a new order for every epoch.
        seed: seed of these orders.
        epoch: number of orders that have been used before.
        drop_remainder: leave out the last batch if it is smaller.
    """

    def __init__(
        self,
        arrays: tuple,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        epoch: int = 0,
        drop_remainder: bool = False,
    ):
        super().__init__()
        self.arrays = arrays
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_remainder = drop_remainder
        self.epoch = epoch - 1
        self.on_epoch_begin()

    def __len__(self) -> int:
        count = len(self.arrays[0])
        return count // self.batch_size if self.drop_remainder else -(-count // self.batch_size)

    def __getitem__(self, index: int) -> tuple:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return tuple(array[chosen] for array in self.arrays)

    def on_epoch_begin(self) -> None:
        self.epoch += 1
        self.order = np.arange(len(self.arrays[0]))
        if self.shuffle:
            self.order = np.random.default_rng([self.seed, self.epoch]).permutation(self.order)
