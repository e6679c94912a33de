"""MNIST and Fashion-MNIST from files, from Keras's cache, and where there is neither."""

import gzip
import hashlib
import lzma
import socket
import struct
import tokenize
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from common.datasets import DigitsData, FashionMNISTData, MNISTData, limits, load_or_digits
from common.datasets.files import cached_file, reading
from common.datasets.mnist import _FASHION
from common.errors import InputError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (30, 28, 28), dtype=np.uint8)
LABELS = (np.arange(30) % 10).astype(np.uint8)
FASHION = [f"{name}-ubyte.gz" for name in _FASHION]
ARRAYS = {
    "x_train": IMAGES[:20],
    "y_train": LABELS[:20],
    "x_test": IMAGES[20:],
    "y_test": LABELS[20:],
}


@pytest.fixture
def npz(tmp_path):
    np.savez_compressed(tmp_path / "mnist.npz", **ARRAYS)
    return tmp_path / "mnist.npz"


@pytest.fixture
def fashion(tmp_path):
    for name, array in zip(FASHION, ARRAYS.values(), strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        (tmp_path / name).write_bytes(gzip.compress(header + array.tobytes()))
    return tmp_path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty Keras cache, and no network."""
    import keras  # noqa: F401  # before KERAS_HOME changes: Keras reads it once

    def fail(*args, **kwargs):
        raise socket.gaierror("no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(socket, "getaddrinfo", fail)
    return tmp_path / "home"


def assert_is_the_data(data):
    np.testing.assert_array_equal(data.x_train[..., 0], IMAGES[:20])
    np.testing.assert_array_equal(data.y_train, LABELS[:20])
    np.testing.assert_array_equal(data.x_test[..., 0], IMAGES[20:])
    np.testing.assert_array_equal(data.y_test, LABELS[20:])


def test_npz_by_folder_or_path(npz):
    assert_is_the_data(MNISTData(data_dir=npz.parent))
    assert_is_the_data(MNISTData(data_dir=str(npz)))
    renamed = npz.rename(npz.with_name("mine.npz"))
    assert_is_the_data(MNISTData(data_dir=renamed))


def test_fashion_by_folder_or_subfolder(fashion):
    data = FashionMNISTData(data_dir=fashion)
    assert_is_the_data(data)
    assert data.class_names[9] == "Ankle boot" and data.x_train.flags.writeable
    inner = fashion / "fashion-mnist"
    inner.mkdir()
    for name in FASHION:
        (fashion / name).rename(inner / name)
    assert_is_the_data(FashionMNISTData(data_dir=fashion))


def test_missing_file_names_place_and_what_needs_none(tmp_path):
    for data_dir in (tmp_path, tmp_path / "mnist.npz"):
        with pytest.raises(InputError, match=r"no file .*mnist\.npz; put it there.*digits and pol"):
            MNISTData(data_dir=data_dir)
    with pytest.raises(InputError, match=r"nowhere/mnist\.npz"):
        MNISTData(data_dir=tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"no file .*train-images-idx3-ubyte\.gz"):
        FashionMNISTData(data_dir=tmp_path)


def damage_none(path):
    path.write_bytes(b"")


def damage_cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2 - 50 : len(content) // 2 + 50] = bytes(100)
    path.write_bytes(content)


def damage_foreign(path):
    path.write_bytes(b"<html>404</html>" * 100)


@pytest.mark.parametrize("damage", [damage_none, damage_cut, damage_flip, damage_foreign])
def test_corrupt_files(npz, fashion, damage):
    damage(npz)
    with pytest.raises(InputError, match=r"mnist\.npz cannot be used"):
        MNISTData(data_dir=npz)
    damage(fashion / "t10k-images-idx3-ubyte.gz")
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte\.gz cannot be used"):
        FashionMNISTData(data_dir=fashion)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": IMAGES[:20], "y_test": LABELS}, "no array y_train, x_test"),
        (ARRAYS | {"x_test": IMAGES[:, :20]}, r"test images are uint8 \(30, 20, 28\); expected"),
        (ARRAYS | {"x_train": IMAGES[:20] / 255}, "training images are float64"),
        (ARRAYS | {"y_train": LABELS}, "one integer for each of 20 images"),
        (ARRAYS | {"y_test": LABELS[20:] + 1}, "labels go from 1 to 10; expected 0 to 9"),
        (ARRAYS | {"y_test": np.array([{}] * 10)}, "allow_pickle"),
    ],
)
def test_foreign_npz(npz, arrays, message):
    np.savez(npz, **arrays)
    with pytest.raises(InputError, match=rf"mnist\.npz.*{message}"):
        MNISTData(data_dir=npz)


def test_npy_named_npz(tmp_path):
    with (tmp_path / "mnist.npz").open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(InputError, match=r"mnist\.npz cannot be used"):
        MNISTData(data_dir=tmp_path)


def test_idx_of_another_type(fashion):
    name = "train-labels-idx1-ubyte.gz"
    (fashion / name).write_bytes(gzip.compress(struct.pack(">HBBI", 0, 13, 1, 0)))
    with pytest.raises(InputError, match=f"{name} cannot be used: it is not an IDX file of bytes"):
        FashionMNISTData(data_dir=fashion)


def npy(shape, descr="|u1"):
    """The beginning of an .npy file."""
    file = BytesIO()
    facts = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy((2 * 10**7, 28, 28)), r"its array x_test is said to be uint8 \(20000000, 28, 28\)"),
        (npy((2**62, 28, 28)) + bytes(784), "its array x_test is said to be uint8"),
        (npy((-1, 28, 28)) + bytes(784), "its array x_test is said to be uint8"),
        (npy((1, 28, 28)) + bytes(783), "its array x_test is said to be uint8"),
        (npy((1, 28, 28)).replace(b"(1, 2", b"((1,("), "EOF in multi-line statement|Cannot parse"),
        (
            npy((1, 28, 28)).replace(b"fort", b"f\0rt") + bytes(784),
            "Cannot parse header|null bytes",
        ),
        (b"\x93NUMPY\x09\x00" + bytes(100), "Cannot parse header"),
        (b"\x93NUMPI\x01\x00" + bytes(100), "the magic string is not correct"),
    ],
)
def test_npz_with_a_damaged_header(npz, content, message):
    with ZipFile(npz, "w") as archive:
        for name, array in ARRAYS.items():
            archive.writestr(f"{name}.npy", npy(array.shape) + array.tobytes())
    assert_is_the_data(MNISTData(data_dir=npz))
    with ZipFile(npz, "w") as archive:
        for name, array in (ARRAYS | {"x_test": None}).items():
            whole = content if array is None else npy(array.shape) + array.tobytes()
            archive.writestr(f"{name}.npy", whole)
    with pytest.raises(InputError, match=rf"mnist\.npz cannot be used: .*({message})"):
        MNISTData(data_dir=npz)


def test_files_larger_than_the_memory(npz, fashion, monkeypatch):
    monkeypatch.setattr(limits, "memory", lambda: 2**20 * 10)
    assert_is_the_data(MNISTData(data_dir=npz))
    with ZipFile(npz, "a", ZIP_DEFLATED) as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("x_test.npy", npy((20_000, 28, 28)) + bytes(784 * 20_000))
    with pytest.raises(InputError, match=r"mnist\.npz needs 15 MB of memory, .* has 10 MB: give a"):
        MNISTData(data_dir=npz)
    content = struct.pack(">HBB3I", 0, 8, 3, 20_000, 28, 28) + bytes(784 * 20_000)
    (fashion / FASHION[2]).write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"t10k-images-idx3-ubyte\.gz needs 15 MB of memory"):
        FashionMNISTData(data_dir=fashion)


@pytest.mark.parametrize(
    ("shape", "pixels"),
    [((2**32 - 1,) * 3, 100), ((20_000_000, 28, 28), 0), ((1, 28, 28), 783), ((1, 28, 28), 785)],
)
def test_idx_of_another_size_than_it_says(fashion, shape, pixels):
    content = struct.pack(">HBB3I", 0, 8, 3, *shape) + bytes(pixels)
    (fashion / FASHION[0]).write_bytes(gzip.compress(content))
    with pytest.raises(InputError, match=r"gz cannot be used: its array is said to be \(\d+, "):
        FashionMNISTData(data_dir=fashion)


def test_memory_of_this_machine():
    assert 2**28 < limits.memory() < 2**50


@pytest.mark.parametrize(
    "error",
    [MemoryError(), lzma.LZMAError("Corrupt input data"), tokenize.TokenError("EOF", (1, 0))],
)
def test_error_of_any_type_is_a_sentence(tmp_path, error):
    reason = str(error).partition("\n")[0] or "MemoryError"
    with pytest.raises(InputError) as caught, reading(tmp_path / "a.npz"):
        raise error
    assert str(caught.value) == f"{tmp_path / 'a.npz'} cannot be used: {reason}."


def test_foreign_messages_are_cut_to_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"cannot be used: One \(1\.5\)\.$"), reading(tmp_path):
        raise ValueError("One (1.5). Two.\nThree.")


def test_no_network_names_file_place_and_what_needs_none(home):
    for data, place in [
        (MNISTData, home / "datasets" / "mnist.npz"),
        (FashionMNISTData, home / "datasets" / "fashion-mnist" / "train-images-idx3-ubyte.gz"),
    ]:
        with pytest.raises(InputError, match="no network") as error:
            data()
        assert f"put it at {place}," in str(error.value)
        assert "digits and polynomials need no download" in str(error.value)
        assert error.value.__suppress_context__ and socket.getdefaulttimeout() is None


def test_another_file_in_the_cache_is_refused_and_kept(home, npz):
    (home / "datasets").mkdir(parents=True)
    path = npz.rename(home / "datasets" / "mnist.npz")
    content = path.read_bytes()
    with pytest.raises(InputError, match=r"mnist\.npz cannot be used: its SHA-256 is not that"):
        MNISTData()
    assert path.read_bytes() == content


def test_unwritable_home_is_said(home, monkeypatch):
    home.write_text("no folder")
    with pytest.raises(InputError, match=r"mnist\.npz could not be downloaded \(.*Not a directory"):
        MNISTData()
    assert home.read_text() == "no folder"


def test_digits_take_the_place_of_mnist_only(home, capsys):
    data = load_or_digits("mono", data_fraction=0.1)
    assert isinstance(data, DigitsData) and len(data.x_train) == 144
    printed = capsys.readouterr().out
    assert "mnist.npz could not be downloaded" in printed and "runs on digits" in printed
    with pytest.raises(InputError, match="could not be downloaded"):
        load_or_digits("fashion")
    with pytest.raises(InputError, match="no dataset 'monno'"):
        load_or_digits("monno")


def test_download_is_checked_and_then_reused(home, npz, monkeypatch):
    url = npz.as_uri()
    with pytest.raises(InputError, match="Incomplete or corrupted file"):
        cached_file([url], "0" * 64)
    assert not list(home.rglob("*.npz"))

    digest = hashlib.sha256(npz.read_bytes()).hexdigest()
    path = cached_file([url], digest)
    assert path == home / "datasets" / "mnist.npz" and path.read_bytes() == npz.read_bytes()
    monkeypatch.setattr("keras.utils.get_file", None)
    assert cached_file([url], digest) == path
    assert socket.getdefaulttimeout() is None


def test_mirrors_are_tried_in_order(home, npz, tmp_path):
    """A place without the file, one with another file, one with the right one."""
    other = tmp_path / "other" / npz.name
    other.parent.mkdir()
    other.write_bytes(b"another file")
    nowhere = (tmp_path / "nowhere" / npz.name).as_uri()
    digest = hashlib.sha256(npz.read_bytes()).hexdigest()
    path = cached_file([nowhere, other.as_uri(), npz.as_uri()], digest)
    assert path.read_bytes() == npz.read_bytes()
    path.unlink()
    with pytest.raises(InputError, match=f"Get {nowhere} elsewhere and put it at {path}"):
        cached_file([nowhere, other.as_uri()], digest)
    assert not path.exists()
