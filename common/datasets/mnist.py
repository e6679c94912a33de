"""MNIST and Fashion-MNIST: 70,000 grey images of 28×28 pixels in ten classes each."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from common.datasets.base import ImageData, Split
from common.datasets.files import cached_file, local_file, read_idx, read_npz

_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


@dataclass(eq=False)
class MNISTData(ImageData):
    """MNIST: 60,000 training and 10,000 test images of handwritten digits.

    Images uint8 (N, 28, 28, 1), white strokes (255) on black (0); labels 0 … 9 are the digits. The
    file is Keras's `mnist.npz`, downloaded once into Keras's cache (`KERAS_HOME`, by default
    ~/.keras) with its hash checked, or with `data_dir` one in that folder or of that name.

    Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0.
    """

    data_dir: str | Path | None = None

    name: ClassVar[str] = "mnist"
    class_names: ClassVar[tuple[str, ...]] = tuple("0123456789")
    image_shape: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    def read(self) -> tuple[Split, Split]:
        """The arrays of `mnist.npz`."""
        if self.data_dir is None:
            sha256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
            path = cached_file("mnist.npz", "datasets", f"{_ORIGIN}mnist.npz", sha256)
        else:
            path = local_file(self.data_dir, "mnist.npz")
        self.origin = str(path)
        x_train, y_train, x_test, y_test = read_npz(
            path, ("x_train", "y_train", "x_test", "y_test")
        )
        return (x_train, y_train), (x_test, y_test)


@dataclass(eq=False)
class FashionMNISTData(ImageData):
    """Fashion-MNIST: 60,000 training and 10,000 test pictures of clothes, in MNIST's format.

    Images uint8 (N, 28, 28, 1), from 0 (background) to 255; labels 0 … 9 as in `class_names`. The
    four published .gz files are downloaded once into Keras's cache (`KERAS_HOME`, by default
    ~/.keras) with their hashes checked, or with `data_dir` read from that folder or its subfolder
    `fashion-mnist`.

    H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747; MIT licence.
    """

    data_dir: str | Path | None = None

    name: ClassVar[str] = "fashion"
    class_names: ClassVar[tuple[str, ...]] = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
    image_shape: ClassVar[tuple[int, int, int]] = (28, 28, 1)

    files: ClassVar[dict[str, str]] = {
        "train-images-idx3-ubyte.gz": (
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"
        ),
        "train-labels-idx1-ubyte.gz": (
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"
        ),
        "t10k-images-idx3-ubyte.gz": (
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"
        ),
    }

    def read(self) -> tuple[Split, Split]:
        """The arrays of the four files."""
        if self.data_dir is None:
            paths = [
                cached_file(name, "datasets/fashion-mnist", _ORIGIN + name, sha256)
                for name, sha256 in self.files.items()
            ]
        else:
            folder = Path(self.data_dir).expanduser()
            inner = folder / "fashion-mnist"
            paths = [(inner if inner.is_dir() else folder) / name for name in self.files]
        self.origin = str(paths[0].parent)
        x_train, y_train, x_test, y_test = map(read_idx, paths)
        return (x_train, y_train), (x_test, y_test)
