"""Black or white images whose pixels are drawn from the grey levels whenever they are read."""

import numpy as np

from common.datasets.rows import Rows


class SampledImages:
    """A read-only array (N, H, W, C): a pixel is white with its grey level as the probability.

    Every reading draws anew, which keeps a model from learning one draw by heart (Burda et al.
    2016, section 5; Salakhutdinov & Murray 2008); the same readings in the same order give the
    same images. An int, a slice or an array of row numbers as the index gives a NumPy array.
    """

    ndim = 4

    def __init__(self, images: np.ndarray | Rows, seed: int):
        self.images = images
        self.dtype, self.shape = np.dtype(images.dtype), images.shape
        self.white = self.dtype.type(255 if self.dtype == np.uint8 else 1)
        self.random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int | slice | np.ndarray) -> np.ndarray:
        if isinstance(index, tuple) or index is None or index is Ellipsis:
            raise TypeError("drawn images are indexed by image alone; index what that gives")
        grey = self.images[index]
        drawn = self.random.random(grey.shape, np.float32) * self.white < grey
        return drawn.astype(self.dtype) * self.white

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("drawn images become an array only by a copy")
        return self[:].astype(dtype or self.dtype, copy=False)
