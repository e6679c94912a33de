"""Black or white images whose pixels are drawn from the grey levels whenever they are read."""

import numpy as np

from common.datasets.lazy import LazyImages


class SampledImages(LazyImages):
    """Images of which a pixel is white with its grey level as the probability.

    Every reading draws anew, which keeps a model from learning one draw by heart (Burda et al.
    2016, section 5; Salakhutdinov & Murray 2008); the same readings in the same order give the
    same images.
    """

    def __init__(self, images: np.ndarray | LazyImages, seed: int):
        self.images = images
        self.dtype, self.shape = np.dtype(images.dtype), images.shape
        self.white = self.dtype.type(255 if self.dtype == np.uint8 else 1)
        self.random = np.random.default_rng(seed)

    def read(self, index: int | slice | np.ndarray) -> np.ndarray:
        """The images at an index, drawn anew."""
        grey = self.images[index]
        drawn = self.random.random(grey.shape, np.float32) * self.white < grey
        return drawn.astype(self.dtype) * self.white
