"""scikit-learn's handwritten digits in MNIST's format: real data that needs no download."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from common.datasets.base import ImageData, Split


@dataclass(eq=False)
class DigitsData(ImageData):
    """The 1,797 handwritten digits that come with scikit-learn, scaled from 8×8 to 28×28.

    Images uint8 (N, 28, 28, 1), white strokes (255) on black (0) in the middle 20×20 pixels, as in
    MNIST; labels 0 … 9 are the digits. The first 1,437 are for training, the last 360 for testing.
    The original order goes writer by writer, so most test digits are by writers not trained on.

    E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits (1998), UCI; CC BY 4.0.
    """

    name = "digits"
    class_names = tuple("0123456789")
    image_shape = (28, 28, 1)

    def read(self) -> tuple[Split, ...]:
        images, labels = _digits()
        return (images[:1437], labels[:1437]), (images[1437:], labels[1437:])


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image
    from sklearn.datasets import load_digits

    drawings, labels = load_digits(return_X_y=True)
    images = []
    for drawing in np.reshape(drawings, (-1, 8, 8)):
        # Without a border, strokes that touch the edge of the 8×8 box would end abruptly.
        bordered = Image.fromarray(np.pad(drawing / 16, 2).astype(np.float32))
        grey = np.asarray(bordered.resize((30, 30), Image.Resampling.BICUBIC))[1:-1, 1:-1]
        # Twice the contrast gives strokes MNIST's width and sharp edges.
        images.append(np.round(255 * np.clip(2 * grey - 0.45, 0, 1)).astype(np.uint8))
    return np.stack(images), np.asarray(labels)
