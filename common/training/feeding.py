"""Arrays as batches, in an order that can be repeated."""

import keras
import numpy as np


class ArrayBatches(keras.utils.PyDataset):
    """Batches of arrays of equal length; the order is a function of the seed and the epoch."""

    def __init__(
        self,
        arrays: tuple,
        batch_size: int,
        shuffle: bool,
        seed: int,
        epoch: int,
        drop_remainder: bool,
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
        """Draw the order of the next epoch."""
        self.epoch += 1
        count = len(self.arrays[0])
        if self.shuffle:
            self.order = np.random.default_rng([self.seed, self.epoch]).permutation(count)
        else:
            self.order = np.arange(count)
