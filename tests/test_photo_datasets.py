"""CelebA, Stanford Cars and CIFAR-10, each in small files laid out like the published ones."""

import hashlib
import os
import pickle
import time
from types import SimpleNamespace
from zipfile import ZipFile

import keras
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from common import datasets
from common.datasets import CarsData, CelebAData, CIFAR10Data, mat_files
from common.errors import InputError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty Keras cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def put(path, level, size=(178, 218)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, level, level)).save(path, quality=95)


def levels(images):
    return np.asarray(images)[:, 4, 4, 0].tolist()


# CelebA: image n is uniformly grey; the numbers reach over the three published splits.

NUMBERS = {1: 10, 2: 20, 162_770: 30, 162_771: 40, 182_637: 50, 182_638: 60, 202_599: 70}


@pytest.fixture
def celeba(tmp_path):
    for number, level in NUMBERS.items():
        put(tmp_path / "celeba" / "img_align_celeba" / f"{number:06}.jpg", level)
    return tmp_path / "celeba"


def test_celeba_published_splits(celeba):
    data = CelebAData(celeba, size=8)
    np.testing.assert_allclose(levels(data.x_train), [10, 20, 30], atol=1)
    np.testing.assert_allclose(levels(data.x_valid), [40, 50], atol=1)
    np.testing.assert_allclose(levels(data.x_test), [60, 70], atol=1)
    assert data.image_shape == (8, 8, 3) and data.y_train is None and data.num_classes is None
    data = CelebAData(celeba, size=8, validation_fraction=0.34)
    np.testing.assert_allclose(levels(data.x_valid), [30], atol=1)
    assert len(data.x_train) == 2 and len(data.x_test) == 2
    data = CelebAData(celeba, size=8, data_fraction=0.5)
    assert [len(x) for x in (data.x_train, data.x_valid, data.x_test)] == [2, 1, 1]


def test_celeba_shows_the_middle_148_pixels(celeba):
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[35:183, 15:163] = 255
    Image.fromarray(pixels).save(celeba / "img_align_celeba" / "000001.jpg", quality=95)
    image = CelebAData(celeba).x_train[0]
    assert image[1:-1, 1:-1].min() > 245
    # Halved, the photograph is decoded at 89×109: half a pixel of the border shows.
    assert CelebAData(celeba, size=148).x_train[0].min() > 200


@pytest.mark.parametrize("packed", [False, True])
def test_celeba_in_the_published_layout(celeba, tmp_path, packed, monkeypatch):
    """CelebA/Img/img_align_celeba, or its zip."""
    root = tmp_path / "CelebA"
    root.mkdir()
    celeba.rename(root / "Img")
    images = root / "Img" / "img_align_celeba"
    if packed:
        with ZipFile(images.with_suffix(".zip"), "w") as archive:
            for path in images.iterdir():
                archive.write(path, f"img_align_celeba/{path.name}")
                path.unlink()
        images.rmdir()
        images = images.with_suffix(".zip")
    monkeypatch.chdir(images.parent)
    for place in (root, root / "Img", images, ".", images.name):
        data = CelebAData(place, size=8)
        np.testing.assert_allclose(levels(data.x_train), [10, 20, 30], atol=1)


@pytest.mark.slow
def test_celeba_starts_again_at_the_pace_of_the_disk(tmp_path, monkeypatch):
    """Two and a half times what a look at each file takes; of all images that is about a second."""
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    for number in range(1, 5_001):
        (folder / f"{number:06}.jpg").touch()
    black = np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setattr("common.datasets.photos.decoding.decode", lambda *args: black)
    assert len(CelebAData(tmp_path, size=8).x_train) == 4_500

    def seconds(act):
        started = time.process_time()
        act()
        return time.process_time() - started

    # By turns, and of many the best, for other programs disturb either.
    looks, starts = [], []
    for _ in range(20):
        looks.append(seconds(lambda: [entry.stat() for entry in os.scandir(folder)]))
        starts.append(seconds(lambda: CelebAData(tmp_path, size=8)))
    assert min(starts) < 2.5 * min(looks)


@pytest.mark.parametrize("stems", [range(1, 21), range(190_001, 190_021), "abcdefghijklmnopqrst"])
def test_celeba_without_one_of_the_splits(tmp_path, stems):
    for level, stem in enumerate(stems):
        put(tmp_path / "img_align_celeba" / f"{stem:0>6}.jpg", 10 * level)
    data = CelebAData(tmp_path, size=8)
    assert len(data.x_train) == 18 and len(data.x_test) == 2 and data.x_valid is None
    found = sorted(levels(data.x_train) + levels(data.x_test))
    np.testing.assert_allclose(found, 10 * np.arange(20), atol=1)
    assert levels(CelebAData(tmp_path, size=8).x_test) == levels(data.x_test)


def test_celeba_wherever_it_lies(celeba, home):
    expected = levels(CelebAData(celeba, size=8).x_train)
    with ZipFile(celeba / "img_align_celeba.zip", "w") as archive:
        for path in (celeba / "img_align_celeba").iterdir():
            archive.write(path, f"img_align_celeba/{path.name}")
    for place in (celeba / "img_align_celeba", celeba / "img_align_celeba.zip"):
        data = CelebAData(place, size=8)
        assert levels(data.x_train) == expected
        assert str(place) in data.origin
    for path in (celeba / "img_align_celeba").iterdir():
        path.unlink()
    assert CelebAData(celeba, size=8).origin.endswith(".zip"), "an empty folder beside the zip"
    (home / "datasets").mkdir(parents=True)
    celeba.rename(home / "datasets" / "celeba")
    assert levels(datasets.load("celeba", size=8).x_train) == expected


def test_celeba_missing_says_what_to_get(tmp_path, home):
    for options, place in [({}, home / "datasets" / "celeba"), ({"data_dir": tmp_path}, tmp_path)]:
        with pytest.raises(InputError) as error:
            CelebAData(**options)
        message = str(error.value)
        assert message.startswith(f"{place} holds no CelebA") and "img_align_celeba.zip" in message
        assert "Large-scale CelebFaces Attributes (CelebA) Dataset" in message
        assert "digits and polynomials" in message
    for contents in ([], ["readme.txt", "__MACOSX/000001.jpg"]):
        with ZipFile(tmp_path / "img_align_celeba.zip", "w") as archive:
            for name in contents:
                archive.writestr(name, b"no picture")
        for place in (tmp_path, tmp_path / "img_align_celeba.zip"):
            with pytest.raises(InputError) as error:
                CelebAData(place)
            assert str(error.value).startswith(f"{place} holds no CelebA, which cannot be")
    put(tmp_path / "000001.jpg", 0)
    with pytest.raises(InputError, match="holds one image that can be read; at least two"):
        CelebAData(tmp_path)


# Stanford Cars: photographs of 40×30 pixels with a car, white on black, at (11 … 30, 11 … 20).


def write_cars(folder, train=4, test=2):
    for part, count in (("cars_train", train), ("cars_test", test)):
        for number in range(1, count + 1):
            pixels = np.zeros((30, 40, 3), np.uint8)
            pixels[10:20, 10:30] = 255
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / part / f"{number:05}.jpg", quality=100)


def write_kit(folder, name, count, classes=True, **changed):
    fields = {"bbox_x1": 11, "bbox_y1": 11, "bbox_x2": 30, "bbox_y2": 20} | changed
    types = [(field, "O") for field in (*fields, *(["class"] if classes else []), "fname")]
    rows = [
        (*fields.values(), *([number % 3 + 1] if classes else []), f"{number:05}.jpg")
        for number in range(1, count + 1)
    ]
    folder.mkdir(exist_ok=True)
    savemat(folder / name, {"annotations": np.array(rows, dtype=types)})
    names = np.array(["AM General", "Audi TT", "BMW X5"], dtype=object)
    savemat(folder / "cars_meta.mat", {"class_names": names})


def test_cars_without_the_kit(tmp_path):
    write_cars(tmp_path)
    data = CarsData(tmp_path, size=30)
    assert data.x_train.shape == (4, 30, 30, 3) and data.x_test.shape == (2, 30, 30, 3)
    assert data.y_train is None and data.class_names == ()
    # The middle 30 columns, in which the car has 20.
    white = data.x_train[0][15, :, 0] > 127
    assert np.flatnonzero(white).tolist() == list(range(5, 25))
    padded = CarsData(tmp_path, size=40, fit="pad").x_train[0]
    assert padded[0].min() == 255 and padded[6].max() < 30
    with pytest.raises(
        InputError, match=r"boxes=True needs .* none for cars_test/00001\.jpg and 6"
    ):
        CarsData(tmp_path, boxes=True)


def test_cars_with_the_kit(tmp_path):
    write_cars(tmp_path)
    write_kit(tmp_path / "devkit", "cars_train_annos.mat", 4)
    write_kit(tmp_path / "devkit", "cars_test_annos.mat", 2, classes=False)
    data = CarsData(tmp_path, size=20, boxes=True)
    assert data.y_train is None, "the classes of the test images are not known"
    image = data.x_train[0][..., 0].astype(int)
    assert image[6:14].min() > 220 and image[:4].max() < 30 and image[16:].max() < 30
    alone = CarsData(tmp_path, size=(10, 20), boxes=True).x_train[0]
    assert alone.min() > 220
    write_kit(tmp_path, "cars_test_annos_withlabels.mat", 2)
    data = CarsData(tmp_path, size=20)
    assert data.class_names == ("AM General", "Audi TT", "BMW X5")
    assert data.y_train.tolist() == [1, 2, 0, 1] and data.y_test.tolist() == [1, 2]


def test_cars_a_folder_deeper(tmp_path):
    """As cars_train/cars_train/00001.jpg, which re-uploads have."""
    write_cars(tmp_path)
    for part in ("cars_train", "cars_test"):
        (tmp_path / part).rename(tmp_path / "inner")
        (tmp_path / part).mkdir()
        (tmp_path / "inner").rename(tmp_path / part / part)
    write_kit(tmp_path / "devkit", "cars_train_annos.mat", 4)
    write_kit(tmp_path / "devkit", "cars_test_annos_withlabels.mat", 2)
    data = CarsData(tmp_path, size=(10, 20), boxes=True)
    assert data.y_train.tolist() == [1, 2, 0, 1] and data.y_test.tolist() == [1, 2]
    assert data.x_train[0].min() > 220


def test_cars_with_a_kit_of_other_images(tmp_path):
    write_cars(tmp_path)
    write_kit(tmp_path / "devkit", "cars_train_annos.mat", 4)
    for path in (tmp_path / "cars_train").iterdir():
        path.rename(path.with_name(f"car {path.name}"))
    message = r"train_annos\.mat describes none of the 4 images such as cars_train/"
    for boxes in (False, True):
        with pytest.raises(
            InputError, match=message + r"car 00001\.jpg: give them their published"
        ):
            CarsData(tmp_path, size=8, boxes=boxes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bbox_x1": -1}, "the bbox_x1 -1; expected a whole number from 0 to 100,000"),
        ({"bbox_y2": np.nan}, "the bbox_y2 nan; expected a whole number"),
        ({"bbox_y2": np.inf}, "the bbox_y2 inf; expected a whole number"),
        ({"bbox_x2": 2.0**40}, "the bbox_x2 1099511627776.0; expected a whole number"),
        ({"bbox_x2": 20.5}, "the bbox_x2 20.5; expected a whole number"),
        ({"bbox_x2": "20"}, "the bbox_x2 '20'; expected a whole number"),
        ({"bbox_x2": 10}, "a box from 11, 11 to 10, 20, which has no inside"),
    ],
)
def test_cars_with_boxes_that_are_none(tmp_path, changed, message):
    write_cars(tmp_path, test=0)
    write_kit(tmp_path / "devkit", "cars_train_annos.mat", 4, **changed)
    with pytest.raises(InputError, match=message):
        CarsData(tmp_path, size=8, boxes=True)


def test_cars_of_a_class_that_is_none(tmp_path):
    write_cars(tmp_path, test=0)
    write_kit(tmp_path, "cars_train_annos.mat", 4)
    savemat(tmp_path / "cars_meta.mat", {"class_names": np.array(["A", "B"], dtype=object)})
    with pytest.raises(InputError, match=r"gives 00002\.jpg the class 3; .* from 1 to 2\. Unpack"):
        CarsData(tmp_path, size=8)


@pytest.mark.parametrize(
    ("does", "problem"),
    [
        ("import os; os.abort()", "SciPy's reader crashes on it"),
        ("import time; time.sleep(60)", "reading it does not end"),
        ("raise KeyError('a. b')", "'a"),
    ],
)
def test_cars_of_a_file_on_which_the_reader_ends(tmp_path, monkeypatch, does, problem):
    """SciPy's reader ends its process on some damaged files: another process has it."""
    write_cars(tmp_path, test=0)
    write_kit(tmp_path, "cars_train_annos.mat", 4)
    assert len(CarsData(tmp_path, size=8).class_names) == 3
    (tmp_path / "scipy" / "io").mkdir(parents=True)
    (tmp_path / "scipy" / "__init__.py").touch()
    (tmp_path / "scipy" / "io" / "__init__.py").write_text(f"def loadmat(*a, **b):\n    {does}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(mat_files, "TIMEOUT", 1 if "sleep" in does else 60)
    with pytest.raises(InputError, match=rf"annos\.mat cannot be used: it is no .* \(({problem})"):
        CarsData(tmp_path, size=8)


def test_cars_without_test_images(tmp_path):
    write_cars(tmp_path, train=20, test=0)
    write_kit(tmp_path / "devkit", "cars_train_annos.mat", 20)
    data = CarsData(tmp_path, size=8)
    assert len(data.x_train) == 18 and len(data.x_test) == 2
    assert sorted([*data.y_train, *data.y_test]) == sorted(n % 3 for n in range(1, 21))


def test_cars_missing_or_of_another_kind(tmp_path, home):
    with pytest.raises(InputError) as error:
        datasets.load("cars")
    message = str(error.value)
    assert message.startswith(f"{home / 'datasets' / 'stanford_cars'} holds no folder cars_train")
    assert '"Cars Dataset" (Jonathan Krause' in message and "car_devkit.tgz" in message
    write_cars(tmp_path, train=1, test=0)
    with pytest.raises(InputError, match="holds one image that can be read"):
        CarsData(tmp_path)
    for content in (b"", b"no matrix", b"MATLAB 5.0 MAT-file" + bytes(200)):
        (tmp_path / "cars_train_annos.mat").write_bytes(content)
        with pytest.raises(InputError, match=r"annos\.mat cannot be used: it is no such file"):
            CarsData(tmp_path)


# CIFAR-10: ten images for training and two for testing.

IMAGES = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
LABELS = (np.arange(12) % 10).astype(np.uint8)
SPLITS = (IMAGES[:10], LABELS[:10, None]), (IMAGES[10:], LABELS[10:, None])
ARRAYS = {
    "x_train": IMAGES[:10],
    "y_train": LABELS[:10, None],
    "x_test": IMAGES[10:],
    "y_test": LABELS[10:, None],
}


def assert_is_cifar(data):
    np.testing.assert_array_equal(data.x_train, IMAGES[:10])
    np.testing.assert_array_equal(data.y_train, LABELS[:10])
    np.testing.assert_array_equal(data.x_test, IMAGES[10:])
    np.testing.assert_array_equal(data.y_test, LABELS[10:])
    assert data.class_names[6] == "frog" and data.num_classes == 10


def test_cifar_from_an_npz(tmp_path):
    np.savez(tmp_path / "mine.npz", **ARRAYS)
    for place in (tmp_path, tmp_path / "mine.npz"):
        assert_is_cifar(CIFAR10Data(data_dir=place))
    np.savez(
        tmp_path / "other.npz", **(ARRAYS | {"y_train": LABELS[:10], "x_test": IMAGES[..., 0]})
    )
    with pytest.raises(InputError, match=r"holds 2 \.npz files; give the path of one"):
        CIFAR10Data(data_dir=tmp_path)
    with pytest.raises(InputError, match=r"other\.npz: the test images are uint8 \(12, 32, 32\);"):
        CIFAR10Data(data_dir=tmp_path / "other.npz")
    with pytest.raises(InputError, match=r"no file .*nowhere\.npz"):
        CIFAR10Data(data_dir=tmp_path / "nowhere.npz")


@pytest.mark.parametrize("name", ["cifar-10-batches-py", "cifar-10-python.tar.gz"])
def test_cifar_in_pickles_is_not_read(tmp_path, name):
    """The message has the two lines that make an .npz, and they do."""
    place = tmp_path / name
    place.write_bytes(pickle.dumps({})) if name.endswith("gz") else place.mkdir()
    with pytest.raises(
        InputError, match=r"holds 0 \.npz files; give .*digits and polynomials"
    ) as error:
        CIFAR10Data(data_dir=place)
    lines = str(error.value).partition("can download: ")[2].partition(". The datasets")[0]
    keras = SimpleNamespace(
        datasets=SimpleNamespace(cifar10=SimpleNamespace(load_data=lambda: SPLITS))
    )
    exec(lines.replace("cifar10.npz", str(tmp_path / "made.npz")), {"keras": keras, "np": np})
    assert_is_cifar(CIFAR10Data(data_dir=tmp_path))


def test_cifar_by_keras(home, monkeypatch):
    """From an archive with the right hash in Keras's cache; one with another is kept."""
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: SPLITS)
    assert_is_cifar(datasets.load("cifar10"))
    path = home / "datasets" / "cifar-10-batches-py-target_archive"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"an archive")
    with pytest.raises(
        InputError, match="its SHA-256 is not that of the published file; delete it"
    ):
        datasets.load("cifar10")
    assert path.read_bytes() == b"an archive"
    digest = hashlib.sha256(b"an archive").hexdigest()
    monkeypatch.setattr("common.datasets.cifar10.SHA256", digest)
    assert_is_cifar(datasets.load("cifar10"))

    def fail():
        raise OSError("No space left on device")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    with pytest.raises(
        InputError, match=r"gz could not be unpacked \(No space .* an \.npz as data_d"
    ):
        datasets.load("cifar10")
    assert path.read_bytes() == b"an archive"
