"""CelebA, Stanford Cars and CIFAR-10, each in small files laid out like the published ones."""

import hashlib
import os
import pickle
import tarfile
import time
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from common import datasets
from common.datasets import CarsData, CelebAData, CIFAR10Data
from common.errors import InputError

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty Keras cache, and the temporary folder away from the machine's."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
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


def write_attributes(path, numbers=NUMBERS):
    lines = [f"{number:06}.jpg -1  1 {'-1' if number % 2 else ' 1'}" for number in numbers]
    path.write_text("\n".join([str(len(lines)), "Bald Smiling Young ", *lines, ""]))


def test_celeba_published_splits(celeba):
    data = CelebAData(celeba, size=8)
    np.testing.assert_allclose(levels(data.x_train), [10, 20, 30], atol=1)
    np.testing.assert_allclose(levels(data.x_valid), [40, 50], atol=1)
    np.testing.assert_allclose(levels(data.x_test), [60, 70], atol=1)
    assert data.image_shape == (8, 8, 3) and data.y_train is None and data.num_classes is None
    assert data.attributes is None and data.attribute_names == ()
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


def test_celeba_attributes(celeba):
    write_attributes(celeba / "list_attr_celeba.txt")
    data = CelebAData(celeba, size=8)
    assert data.attribute_names == ("Bald", "Smiling", "Young")
    assert data.attributes.dtype == bool
    assert data.attributes.tolist() == [[False, True, n % 2 == 0] for n in (1, 2, 162_770)]
    assert data.attributes_valid[:, 2].tolist() == [False, False]
    assert data.attributes_test[:, 2].tolist() == [True, False]
    (celeba / "Anno").mkdir()
    (celeba / "list_attr_celeba.txt").rename(celeba / "Anno" / "list_attr_celeba.txt")
    assert CelebAData(celeba, size=8, data_fraction=0.5).attributes.shape == (2, 3)


@pytest.mark.parametrize("packed", [False, True])
def test_celeba_in_the_published_layout(celeba, tmp_path, packed, monkeypatch):
    """CelebA/Img/img_align_celeba, or its zip, with the attributes in CelebA/Anno."""
    root = tmp_path / "CelebA"
    (root / "Anno").mkdir(parents=True)
    write_attributes(root / "Anno" / "list_attr_celeba.txt")
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
        assert data.attributes[:, 2].tolist() == [False, True, True], place


@pytest.mark.slow
def test_celeba_starts_again_at_the_pace_of_the_disk(tmp_path, monkeypatch):
    """Two and a half times what a look at each file takes; of all images that is about a second."""
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    for number in range(1, 5_001):
        (folder / f"{number:06}.jpg").touch()
    lines = [f"{number:06}.jpg {' '.join(20 * ['-1', ' 1'])}" for number in range(1, 5_001)]
    names = " ".join(f"A{number}" for number in range(40))
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["5000", names, *lines]))
    black = np.zeros((8, 8, 3), np.uint8)
    monkeypatch.setattr("common.datasets.parallel_decoding.decode", lambda *args: black)
    assert CelebAData(tmp_path, size=8).attributes.sum() == 4_500 * 20

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


def test_celeba_attributes_that_do_not_fit(celeba):
    path = celeba / "list_attr_celeba.txt"
    write_attributes(path, list(NUMBERS)[:-2])
    with pytest.raises(InputError, match=r"no line for 182638\.jpg and 2 in all"):
        CelebAData(celeba, size=8)
    write_attributes(path)
    whole = path.read_text()
    # The third: one attribute too many in one line and one too few in another.
    for damaged in (
        whole.replace(" 1", " 3"),
        whole.replace("-1", "0"),
        whole.replace("000001.jpg -1", "000001.jpg -1 -1").replace("000002.jpg -1", "000002.jpg"),
        whole.replace("000001.jpg -1", "000001.jpg"),
        whole.replace("Young", "Young Old"),
        whole.replace("000001.jpg -1 ", "000001.jpg -1 - "),
        whole.replace("000001.jpg -1  1", "000001.jpg -11"),
    ):
        path.write_text(damaged)
        with pytest.raises(
            InputError, match=r"celeba\.txt cannot be used: it must say -1 or 1 for"
        ):
            CelebAData(celeba, size=8)
    for damaged, why in [
        (b"", r"it has no line for 000001\.jpg and 7 in all"),
        (b"7\n\xff\n000001.jpg -1", "'utf-8' codec can't decode"),
    ]:
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=rf"list_attr_celeba\.txt cannot be used: {why}"):
            CelebAData(celeba, size=8)


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
    write_attributes(celeba / "list_attr_celeba.txt")
    for place in (celeba / "img_align_celeba", celeba / "img_align_celeba.zip"):
        data = CelebAData(place, size=8)
        assert levels(data.x_train) == expected and data.attributes.shape == (3, 3)
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
        assert "list_attr_celeba.txt" in message and "digits and polynomials" in message
    for contents in ([], ["readme.txt", "__MACOSX/000001.jpg"]):
        with ZipFile(tmp_path / "img_align_celeba.zip", "w") as archive:
            for name in contents:
                archive.writestr(name, b"no picture")
        for place in (tmp_path, tmp_path / "img_align_celeba.zip"):
            with pytest.raises(InputError) as error:
                CelebAData(place)
            assert str(error.value).startswith(f"{place} holds no CelebA, which cannot be")
    put(tmp_path / "000001.jpg", 0)
    with pytest.raises(InputError, match="holds one image that can be read; get the others"):
        CelebAData(tmp_path)


# Stanford Cars: photographs of 40×30 pixels with a car, white on black, at (11 … 30, 11 … 20).


def write_cars(folder, train=4, test=2):
    for part, count in (("cars_train", train), ("cars_test", test)):
        for number in range(1, count + 1):
            pixels = np.zeros((30, 40, 3), np.uint8)
            pixels[10:20, 10:30] = 255
            (folder / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(folder / part / f"{number:05}.jpg", quality=100)


def write_kit(folder, name, count, classes=True):
    fields = {"bbox_x1": 11, "bbox_y1": 11, "bbox_x2": 30, "bbox_y2": 20}
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
    message = (
        r"train_annos\.mat describes none of the 4 images in .*cars_train, such as cars_train/"
    )
    for boxes in (False, True):
        with pytest.raises(
            InputError, match=message + r"car 00001\.jpg: give them their published"
        ):
            CarsData(tmp_path, size=8, boxes=boxes)


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
    assert '"Cars Dataset" of Jonathan Krause' in message and "car_devkit.tgz" in message
    write_cars(tmp_path, train=1, test=0)
    with pytest.raises(InputError, match="holds one image that can be read"):
        CarsData(tmp_path)
    for content in (b"", b"no matrix", b"MATLAB 5.0 MAT-file" + bytes(200)):
        (tmp_path / "cars_train_annos.mat").write_bytes(content)
        with pytest.raises(InputError, match=r"annos\.mat cannot be used: it is no such file"):
            CarsData(tmp_path)


# CIFAR-10: five batches of two images, and one for testing.

IMAGES = RNG.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
LABELS = (np.arange(12) % 10).astype(np.uint8)
BATCHES = [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]


@pytest.fixture
def batches(tmp_path):
    """The published folder; its files are pickles with one colour plane after another."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for number, name in enumerate(BATCHES):
        part = slice(2 * number, 2 * number + 2)
        planes = IMAGES[part].transpose(0, 3, 1, 2).reshape(2, 3072)
        batch = {b"data": planes, b"labels": LABELS[part].tolist(), b"batch_label": name.encode()}
        (folder / name).write_bytes(pickle.dumps(batch, protocol=3))
    (folder / "batches.meta").write_bytes(pickle.dumps({b"num_vis": 3072}, protocol=3))
    return folder


@pytest.fixture
def archive(batches):
    path = batches.parent / "archive" / "cifar-10-python.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as file:
        file.add(batches, batches.name)
    return path


def assert_is_cifar(data):
    np.testing.assert_array_equal(data.x_train, IMAGES[:10])
    np.testing.assert_array_equal(data.y_train, LABELS[:10])
    np.testing.assert_array_equal(data.x_test, IMAGES[10:])
    np.testing.assert_array_equal(data.y_test, LABELS[10:])
    assert data.class_names[6] == "frog" and data.num_classes == 10


def test_cifar_from_folder_archive_and_npz(batches, archive, tmp_path):
    for place in (batches, batches.parent, archive, archive.parent):
        assert_is_cifar(CIFAR10Data(data_dir=place))
    assert CIFAR10Data(data_dir=batches).x_train.flags.c_contiguous
    (tmp_path / "npz").mkdir()
    arrays = {"x_train": IMAGES[:10], "x_test": IMAGES[10:], "y_train": LABELS[:10, None]}
    np.savez(tmp_path / "npz" / "mine.npz", y_test=LABELS[10:, None], **arrays)
    for place in (tmp_path / "npz", tmp_path / "npz" / "mine.npz"):
        assert_is_cifar(CIFAR10Data(data_dir=place))
    np.savez(tmp_path / "npz" / "other.npz", x_train=IMAGES)
    with pytest.raises(InputError, match=r"There are 2 \.npz files in .* give the path of the one"):
        CIFAR10Data(data_dir=tmp_path / "npz")
    with pytest.raises(InputError, match=r"other\.npz cannot be used: it has no array y_train"):
        CIFAR10Data(data_dir=tmp_path / "npz" / "other.npz")


def test_cifar_in_keras_cache(archive, home, monkeypatch):
    path = home / "datasets" / "cifar-10-batches-py-target_archive"
    path.parent.mkdir(parents=True)
    path.write_bytes(archive.read_bytes())
    with pytest.raises(InputError, match="its SHA-256 is not that of the published file"):
        datasets.load("cifar10")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("common.datasets.cifar10.SHA256", digest)
    assert_is_cifar(datasets.load("cifar10"))


def test_cifar_missing(tmp_path):
    with pytest.raises(InputError, match=r"no cifar-10-batches-py, \.tar\.gz or \.npz in .*page"):
        CIFAR10Data(data_dir=tmp_path)


class Harmful:
    def __reduce__(self):
        return print, ("code was run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "data_batch_2 is no batch of CIFAR-10"),
        (b"text", "data_batch_2 is no batch of CIFAR-10"),
        (pickle.dumps({b"labels": []}), "data_batch_2 is no batch of CIFAR-10"),
        (pickle.dumps(Harmful()), r"data_batch_2 .*it holds a builtins\.print"),
        (None, "data_batch_2"),
    ],
)
def test_cifar_damaged(batches, archive, content, message, capsys):
    path = batches / "data_batch_2"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        CIFAR10Data(data_dir=batches)
    with tarfile.open(archive, "w:gz") as file:
        file.add(batches, batches.name)
    with pytest.raises(InputError, match=message):
        CIFAR10Data(data_dir=archive)
    assert capsys.readouterr().out == ""


def test_cifar_archive_cut_off(archive):
    content = archive.read_bytes()
    for kept in (content[: len(content) // 2], b"no archive", b""):
        archive.write_bytes(kept)
        with pytest.raises(InputError, match=r"cifar-10-python\.tar\.gz cannot be used"):
            CIFAR10Data(data_dir=archive)


def test_arrays_of_another_shape(tmp_path):
    file = BytesIO()
    np.savez(file, x_train=IMAGES[..., 0], y_train=LABELS, x_test=IMAGES, y_test=LABELS)
    (tmp_path / "cifar10.npz").write_bytes(file.getvalue())
    with pytest.raises(
        InputError, match=r"training images are uint8 \(12, 32, 32\); expected uint8"
    ):
        CIFAR10Data(data_dir=tmp_path)
