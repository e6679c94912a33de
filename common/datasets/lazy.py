"""Images that are not in memory as an array but can be used as one."""

from abc import ABC, abstractmethod

import numpy as np


class LazyImages(ABC):
    """A read-only array (N, H, W, C) whose images are made when they are read.

    An int, a slice or an array of row numbers as the index gives a NumPy array.
    """

    ndim = 4
    dtype: np.dtype
    shape: tuple[int, ...]

    @abstractmethod
    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        """The images at an index, as an array of `dtype`."""

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, tuple) or index is None or index is Ellipsis:
            raise TypeError(
                f"{type(self).__name__} are indexed by image alone; index what that gives"
            )
        return self.read(index)

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError(f"{type(self).__name__} become an array only by a copy")
        return self[:].astype(dtype or self.dtype, copy=False)
