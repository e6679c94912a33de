"""Any folder of pictures: what is found, its classes and splits, and what cannot be used."""

import os
import re
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from common import datasets
from common.datasets import ImageFolderData, StackedMNISTData, StoredRows
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Decoding
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty Keras cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "my pictures").mkdir()
    return tmp_path / "my pictures"


def put(path, level, kind=None, size=(4, 4), mode="RGB"):
    """A uniformly grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, level).convert(mode).save(path, kind)


def put_many(folder, levels):
    for level in levels:
        put(folder / f"{level:03}.png", level)


def levels(images):
    return np.asarray(images)[:, 2, 2, 0].tolist()


def test_every_format_and_name_at_any_depth(folder):
    names = ["a.jpg", "b.JPEG", "c.png", "d.webp", "e.bmp", "f.gif"]
    names += ["with space.png", "Übermaß 写真.png", "deep/er/g.png"]
    names += [os.fsdecode(b"latin1-\xfc.png")] if os.name == "posix" else []
    for number, name in enumerate(names):
        put(folder / name, 20 * number + 10)
    (folder / "notes.txt").write_text("no picture")
    put(folder / ".hidden.png", 0)
    put(folder / ".thumbs" / "h.png", 0)
    data = ImageFolderData(folder, size=4)
    found = sorted(levels(data.x_train) + levels(data.x_test))
    np.testing.assert_allclose(found, 20 * np.arange(len(names)) + 10, atol=3)
    assert data.y_train is None and data.num_classes is None and data.name == "my pictures"
    assert data.image_shape == (4, 4, 3) and isinstance(data.x_train, StoredRows)


def test_sizes_and_channels(folder):
    put_many(folder, range(0, 200, 20))
    put(folder / "large.jpg", 250, size=(300, 200))
    put(folder / "dot.png", 230, size=(1, 1), mode="L")
    data = ImageFolderData(folder, size=(6, 8), channels=1, fit="pad")
    assert data.image_shape == (6, 8, 1) and data.x_train.shape == (11, 6, 8, 1)
    assert data.x_test.shape == (1, 6, 8, 1)
    assert data.x_train[:][:, 0, 0, 0].max() == 255, "the padding is white"


def test_split_is_drawn_by_the_seed(folder):
    put_many(folder, range(100))
    data = ImageFolderData(folder, size=4, test_fraction=0.2)
    train, test = levels(data.x_train), levels(data.x_test)
    assert len(test) == 20 and sorted(train + test) == list(range(100))
    assert train != sorted(train), "classes would come one after another"
    again = ImageFolderData(folder, size=4, test_fraction=0.2)
    assert levels(again.x_train) == train and levels(again.x_test) == test
    assert levels(ImageFolderData(folder, size=4, test_fraction=0.2, seed=1).x_test) != test


def test_common_options(folder):
    put_many(folder, range(100, 200))
    whole = ImageFolderData(folder, size=4)
    data = ImageFolderData(folder, size=4, data_fraction=0.5, validation_fraction=0.2)
    assert levels(data.x_train) == levels(whole.x_train)[:36]
    assert levels(data.x_valid) == levels(whole.x_train)[36:45]
    assert levels(data.x_test) == levels(whole.x_test)[:5]
    binary = ImageFolderData(folder, size=4, binarize=True)
    assert levels(binary.x_train) == [255 * (v > 127) for v in levels(whole.x_train)]
    assert binary.x_train.dtype == np.uint8


def test_subfolders_are_classes(folder):
    for label, name in enumerate(["Katze", "dog", "été"]):
        put_many(folder / name, range(50 * label, 50 * label + 10))
    put(folder / "dog" / "old" / "deep.png", 99)
    data = ImageFolderData(folder, size=4, drop_class=0)
    assert data.class_names == ("Katze", "dog", "été") and data.num_classes == 3
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert (np.array(levels(images)) // 50).tolist() == labels.tolist()
    assert 0 not in data.y_train and set(data.y_train) == {1, 2}
    # One that lies beside them belongs to none.
    put(folder / "flat.png", 200)
    message = "1 of 32 images lie beside the 3 subfolders, such as flat.png; move them into one"
    with pytest.warns(UserWarning, match=message):
        assert ImageFolderData(folder, size=4).y_train is None


def test_one_subfolder_is_no_class(folder):
    put_many(folder / "inner", range(10))
    data = ImageFolderData(folder, size=4)
    assert data.y_train is None and data.class_names == ()


def test_train_and_test_subfolders(folder):
    for part, start in (("train", 0), ("test", 100), ("valid", 200)):
        put_many(folder / part / "a", range(start, start + 10))
        put_many(folder / part / "b", range(start + 20, start + 30))
    data = ImageFolderData(folder, size=4)
    assert sorted(levels(data.x_train)) == [*range(10), *range(20, 30)]
    assert sorted(levels(data.x_test)) == [*range(100, 110), *range(120, 130)]
    assert data.class_names == ("a", "b")
    assert data.y_test.tolist() == [int(level >= 120) for level in levels(data.x_test)]
    assert data.y_train.tolist() != sorted(data.y_train)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("Train", "Test"),
        ("TRAIN", "val"),
        ("Training", "Testing"),
        ("training_set", "test_set"),
        ("train-images", "Validation images"),
        ("chest_xray/train", "chest_xray/test"),
        ("archive/data/Train", "archive/data/Valid"),
    ],
)
def test_published_names_of_the_splits(folder, train, test):
    for part, start in ((train, 0), (test, 100)):
        put_many(folder / part / "a", range(start, start + 5))
        put_many(folder / part / "b", range(start + 20, start + 25))
    (folder / train).with_name("readme.txt").write_text("no picture")
    put(folder / "__MACOSX" / "a.png", 250)
    data = ImageFolderData(folder, size=4)
    assert sorted(levels(data.x_train)) == [*range(5), *range(20, 25)]
    assert sorted(levels(data.x_test)) == [*range(100, 105), *range(120, 125)]
    assert data.class_names == ("a", "b")
    assert data.y_test.tolist() == [int(level >= 120) for level in levels(data.x_test)]


def test_split_drawn_by_an_earlier_version_has_another_content(folder):
    """A model of it has seen some of the test images."""
    for part in ("Train", "Test"):
        put_many(folder / part, range(5))
    data = ImageFolderData(folder, size=4)
    assert data.content != cached_images(ImageFiles(folder), Decoding.of(4)).content
    for part in ("Train", "Test"):
        (folder / part).rename(folder / part.lower())
    data = ImageFolderData(folder, size=4)
    assert data.content == cached_images(ImageFiles(folder), Decoding.of(4)).content


def test_the_usual_name_of_a_split_comes_first(folder):
    for part, level in {"Train": 1, "train": 2, "val": 3, "Testing": 4, "training": 5}.items():
        put_many(folder / part, [level])
    data = ImageFolderData(folder, size=4)
    assert levels(data.x_train) == [2] and levels(data.x_test) == [4]


def test_pictures_beside_a_folder_with_splits_are_read(folder):
    for part, level in {"": 1, "old/train": 2, "old/test": 3}.items():
        put_many(folder / part, [level])
    data = ImageFolderData(folder, size=4)
    assert sorted(levels(data.x_train) + levels(data.x_test)) == [1, 2, 3]


def test_folder_around_the_classes_is_passed_through(folder):
    for label, name in enumerate(("Cat", "Dog")):
        put_many(folder / "archive" / "PetImages" / name, range(50 * label, 50 * label + 10))
    put(folder / "archive" / "PetImages" / "Dog" / "old" / "deep.png", 99)
    data = ImageFolderData(folder, size=4)
    assert data.class_names == ("Cat", "Dog")
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert (np.array(levels(images)) // 50).tolist() == labels.tolist()


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX only")
def test_names_that_are_no_utf8_are_shown_as_text(folder):
    folder = folder / os.fsdecode(b"\xfc")
    for label, name in enumerate((b"caf\xe8", b"caf\xe9")):
        put_many(folder / os.fsdecode(name), range(50 * label, 50 * label + 10))
    (folder / os.fsdecode(b"caf\xe8/bad\xe9.png")).write_text("text")
    with pytest.warns(UserWarning) as caught:
        data = ImageFolderData(folder, size=4)
    texts = [str(caught[0].message), data.origin, data.name, *data.class_names]
    assert texts[3:] == [r"caf\xe8", r"caf\xe9"] and data.name == r"\xfc"
    assert r"caf\xe8/bad\xe9.png (not an image" in texts[0]
    "".join(texts).encode()  # raises, if there are surrogates
    assert (np.array(levels(data.x_test)) // 50).tolist() == data.y_test.tolist()
    with pytest.raises(InputError, match=r"\\xfe does not exist: give a folder"):
        ImageFolderData(folder.with_name(os.fsdecode(b"\xfe")))


def test_train_beside_an_empty_test(folder):
    put_many(folder / "train", range(5))
    (folder / "test").mkdir()
    with pytest.raises(InputError, match="but no image in test can be read"):
        ImageFolderData(folder, size=4)


def test_links_are_followed_once(folder, tmp_path):
    put_many(tmp_path / "elsewhere", range(5))
    put_many(folder, range(10, 15))
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "above").symlink_to(folder)
    (folder / "itself").symlink_to(folder / "itself")
    data = ImageFolderData(folder, size=4)
    found = sorted(levels(data.x_train) + levels(data.x_test))
    assert found == [*range(5), *range(10, 15)]


def jpeg(side=64):
    file = BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"this is text", "not an image of a known format"),
        (b"", "not an image of a known format"),
        (jpeg()[:1500], "image file is truncated"),
        (jpeg()[:30], "."),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image of a known format"),
    ],
)
def test_unreadable_files_are_left_out_by_name(folder, content, why):
    put_many(folder, range(10))
    (folder / "bad one.jpg").write_bytes(content)
    with pytest.warns(UserWarning, match=rf"1 of 11 files in .* left out: bad one\.jpg \({why}"):
        data = ImageFolderData(folder, size=4)
    assert len(data.x_train) + len(data.x_test) == 10


def test_dangling_link_and_missing_permission(folder):
    put_many(folder, range(10))
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    with pytest.warns(UserWarning, match=r"gone\.png \(No such file or directory\)"):
        ImageFolderData(folder, size=4)
    (folder / "gone.png").unlink()
    (folder / "003.png").chmod(0)
    if os.access(folder / "003.png", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.warns(UserWarning, match=r"003\.png \(Permission denied\)"):
        ImageFolderData(folder, size=4)


def test_nothing_that_can_be_used(folder, tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist: give a folder of images"):
        ImageFolderData(tmp_path / "nowhere")
    (tmp_path / "file.jpg").write_bytes(jpeg())
    with pytest.raises(InputError, match="is a file, not a folder"):
        ImageFolderData(tmp_path / "file.jpg")
    with pytest.raises(InputError, match=r"hold no images: put files there that end in \.jpg"):
        ImageFolderData(folder)
    (folder / "a.jpg").write_text("text")
    (folder / "b.jpg").write_text("text")
    with pytest.raises(InputError, match=r"None of the 2 image files .* a\.jpg \(not an image"):
        ImageFolderData(folder)
    (folder / "IMG_1.HEIC").write_bytes(b"a photo")
    message = r"1 picture\(s\) in .* left out, in formats that are not read, such as IMG_1.HEIC"
    put(folder / "c.png", 0)
    with pytest.warns(UserWarning) as warned, pytest.raises(InputError):
        ImageFolderData(folder)
    assert re.search(message, str(warned[-1].message))
    (folder / "IMG_1.HEIC").unlink()
    message = "holds one image that can be read; at least two"
    with pytest.warns(UserWarning), pytest.raises(InputError, match=message):
        ImageFolderData(folder)
    put(folder / "d.png", 0)
    with pytest.warns(UserWarning):
        assert len(ImageFolderData(folder).x_test) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": -4}, "size=-4 is no size"),
        ({"channels": 2}, "channels=2: give 3"),
        ({"fit": "squeeze"}, "fit='squeeze' is unknown"),
        ({"test_fraction": 1.0}, "test_fraction=1.0 is outside"),
        ({"test_fraction": float("nan")}, "test_fraction=nan is outside"),
        ({"seed": -1}, "seed=-1; expected a whole number of at least 0"),
        ({"drop_class": 1}, "Class 1 cannot be left out: .*my pictures has no classes"),
    ],
)
def test_bad_options(folder, options, message):
    put_many(folder, range(10))
    with pytest.raises(InputError, match=message):
        ImageFolderData(folder, **{"size": 4, **options})


def test_validation_images_to_test_with(folder):
    for part, levels_of in {"train": range(0, 40, 10), "val": range(100, 120, 10)}.items():
        put_many(folder / part / "a", levels_of)
        put_many(folder / part / "b", levels_of)
    data = ImageFolderData(folder, size=4)
    assert sorted(levels(data.x_test)) == [100, 100, 110, 110] and data.class_names == ("a", "b")
    put(folder / "test" / "a" / "t.png", 200)
    assert levels(ImageFolderData(folder, size=4).x_test) == [200]


def test_load_by_path(folder, monkeypatch):
    put_many(folder, range(20))
    data = datasets.load(str(folder), size=4, data_fraction=0.5)
    assert isinstance(data, ImageFolderData) and len(data.x_train) == 9
    monkeypatch.chdir(folder.parent)
    assert datasets.load("my pictures").image_shape == (64, 64, 3)
    assert len(datasets.load(folder, size=4).x_test) == 2
    with pytest.raises(InputError, match=r"my/typo does not exist: give a folder"):
        datasets.load("my/typo")
    with pytest.raises(InputError, match=r"no dataset 'typo': choose one of mono, .*, or give the"):
        datasets.load("typo")
    with pytest.raises(InputError, match="no dataset ''"):
        datasets.load("")
    with pytest.raises(InputError, match="my pictures has no option data_dir: it takes data_frac"):
        datasets.load("my pictures", data_dir="x")
    (folder.parent / "digits").mkdir()
    assert datasets.load("digits").name == "digits"


def test_stacked_from_a_folder(folder):
    for label in range(10):
        put_many(folder / f"class {label}", range(25 * label, 25 * label + 4))
    source = ImageFolderData(folder, size=4, channels=1, test_fraction=0.25)
    data = StackedMNISTData(source=source, num_images=20, num_test=5)
    assert data.x_train.shape == (20, 4, 4, 3)
    digits = data.x_train[:][:, 0, 0, :] // 25
    np.testing.assert_array_equal(data.y_train, digits @ [1, 10, 100])
    assert data.x_train[3].shape == (4, 4, 3)


def test_it_trains(folder, without_xla):
    import keras

    from common.models import AE

    put_many(folder, range(0, 200, 10))
    data = ImageFolderData(folder, size=8)
    model = AE(data.image_shape, widths=(8,), latent_dim=2, seed=0)
    model.compile(keras.optimizers.Adam(1e-3))
    history = model.fit(data.x_train, validation_data=data.x_test, batch_size=6, verbose=0)
    assert np.isfinite(history.history["val_loss"][0])
    assert model.reconstruct(data.x_test).shape == (2, 8, 8, 3)
    assert model.encode(data.x_test).shape == (2, 2)
