"""CIFAR-10: 60,000 small colour photographs in ten classes."""

from dataclasses import dataclass
from pathlib import Path

from common.datasets.base import ImageData, Split
from common.datasets.files import NEED_NO_DOWNLOAD, downloading, place_in_cache, read_npz
from common.errors import InputError

SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
CLASSES = "airplane automobile bird cat deer dog frog horse ship truck"


@dataclass(eq=False)
class CIFAR10Data(ImageData):
    """CIFAR-10: 50,000 training and 10,000 test photographs.

    Images uint8 (N, 32, 32, 3), RGB; labels 0 … 9 as in `class_names`. `keras.datasets.cifar10`
    downloads the published archive once into Keras's cache (`KERAS_HOME`, by default ~/.keras) and
    checks its hash. `data_dir` is an .npz with the arrays x_train, y_train, x_test and y_test
    instead, or a folder with one.

    A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009).
    """

    data_dir: str | Path | None = None

    name = "cifar10"
    class_names = tuple(CLASSES.split())
    image_shape = (32, 32, 3)

    def read(self) -> tuple[Split, ...]:
        if self.data_dir is None:
            path = place_in_cache("cifar-10-batches-py-target_archive", SHA256)  # Keras's name
            url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
            with downloading(path, url, "an .npz"):
                import keras

                arrays = keras.datasets.cifar10.load_data()
        else:
            place = Path(self.data_dir).expanduser()
            found = [place] if place.suffix == ".npz" else sorted(place.glob("*.npz"))
            if len(found) != 1:
                raise InputError(
                    f"{place} holds {len(found)} .npz files; give the path of one as data_dir=. To "
                    "make one where Keras can download: "
                    "(x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data(); "
                    'np.savez_compressed("cifar10.npz", x_train=x_train, y_train=y_train, '
                    f"x_test=x_test, y_test=y_test). {NEED_NO_DOWNLOAD}"
                )
            path = found[0]
            arrays = read_npz(path)
        self.origin = str(path)
        # Keras gives labels of shape (N, 1).
        train, test = ((x, y.ravel() if y.shape == (len(x), 1) else y) for x, y in arrays)
        return train, test
