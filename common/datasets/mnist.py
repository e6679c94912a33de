"""MNIST and Fashion-MNIST: 70,000 grey images of 28×28 pixels in ten classes each."""

from dataclasses import dataclass
from pathlib import Path

from common.datasets.base import ImageData, Split
from common.datasets.files import cached_file, read_idx, read_npz

# Where the published files are, in the order to try.
_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_MNIST = (_KERAS, "https://s3.amazonaws.com/img-datasets/")
_ZALANDO = (
    _KERAS,
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
_CLOTHES = "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
# The SHA-256 of Fashion-MNIST's files NAME-ubyte.gz.
_FASHION = {
    "train-images-idx3": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}


@dataclass(eq=False)
class MNISTData(ImageData):
    """MNIST: 60,000 training and 10,000 test images of handwritten digits.

    Images uint8 (N, 28, 28, 1), white strokes (255) on black (0); labels 0 … 9 are the digits.
    Keras downloads `mnist.npz` once into its cache (`KERAS_HOME`, by default ~/.keras) and checks
    its hash. `data_dir` is another folder with it, or an .npz of your own with the arrays x_train,
    y_train, x_test and y_test.

    Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits; CC BY-SA 3.0.
    """

    data_dir: str | Path | None = None

    name = "mnist"
    class_names = tuple("0123456789")
    image_shape = (28, 28, 1)

    def read(self) -> tuple[Split, ...]:
        if self.data_dir is None:
            sha256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
            path = cached_file([f"{place}mnist.npz" for place in _MNIST], sha256)
        else:
            path = Path(self.data_dir).expanduser()
            path = path if path.suffix == ".npz" else path / "mnist.npz"
        self.origin = str(path)
        return read_npz(path)


@dataclass(eq=False)
class FashionMNISTData(ImageData):
    """Fashion-MNIST: 60,000 training and 10,000 test images of clothes, in MNIST's format.

    Images uint8 (N, 28, 28, 1), from 0 (background) to 255; labels 0 … 9 as in `class_names`. Keras
    downloads the four published .gz files once into its cache (`KERAS_HOME`, by default ~/.keras)
    and checks their hashes. `data_dir` is another folder with them, or with a subfolder
    `fashion-mnist` that has them.

    H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747; MIT licence.
    """

    data_dir: str | Path | None = None

    name = "fashion"
    class_names = tuple(_CLOTHES.split(", "))
    image_shape = (28, 28, 1)

    def read(self) -> tuple[Split, ...]:
        files = {f"{name}-ubyte.gz": sha256 for name, sha256 in _FASHION.items()}
        if self.data_dir is None:
            paths = [
                cached_file([place + name for place in _ZALANDO], sha256, "datasets/fashion-mnist")
                for name, sha256 in files.items()
            ]
        else:
            folder = Path(self.data_dir).expanduser()
            inner = folder / "fashion-mnist"
            paths = [(inner if inner.is_dir() else folder) / name for name in files]
        self.origin = str(paths[0].parent)
        x_train, y_train, x_test, y_test = map(read_idx, paths)
        return (x_train, y_train), (x_test, y_test)
