"""Files cut off or altered anywhere: they give the right data or a short sentence, nothing else."""

import gzip
import os
import re
import shutil
import struct
import warnings
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from common.commands.run import balance_in
from common.commands.run_folder import RunFolder, write_figures
from common.datasets import CarsData, CelebAData, FashionMNISTData, ImageFolderData, MNISTData
from common.datasets.mnist import _FASHION
from common.errors import InputError
from common.models import DCGAN
from common.training.backup import NAME as BACKUP
from common.training.backup import read_backup, write_backup

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
LABELS = np.arange(6, dtype=np.uint8)
ARRAYS = {
    "x_train": IMAGES[:4],
    "y_train": LABELS[:4],
    "x_test": IMAGES[4:],
    "y_test": LABELS[4:],
}
KINDS = ("png", "jpg", "webp", "bmp", "gif")
# What ends a sentence, but no dot within a number or a file's name.
SENTENCE = re.compile(r"[.!?](?=\s|$)")
# Where, as a share of the file, and what is done there: cut it off, or put these bytes in place.
DAMAGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.none() | st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=3,
)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """A Keras cache of its own."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("home")))


def damaged(content, damages):
    content = bytearray(content)
    for share, new in damages:
        place = int(share * len(content))
        if new is None:
            del content[place:]
        else:
            content[place : place + len(new)] = new
    return bytes(content)


@contextmanager
def or_a_sentence():
    """Let an `InputError` of at most two sentences pass."""
    try:
        yield
    except InputError as error:
        assert 1 <= len(SENTENCE.findall(str(error))) <= 2, str(error)


def assert_is_the_data(data):
    np.testing.assert_array_equal(data.x_train[..., 0], IMAGES[:4])
    np.testing.assert_array_equal(data.y_train, LABELS[:4])
    np.testing.assert_array_equal(data.x_test[..., 0], IMAGES[4:])
    np.testing.assert_array_equal(data.y_test, LABELS[4:])


def check_npz(folder, damages):
    for save in (np.savez, np.savez_compressed):
        save(folder / "mnist.npz", **ARRAYS)
        content = damaged((folder / "mnist.npz").read_bytes(), damages)
        (folder / "mnist.npz").write_bytes(content)
        with or_a_sentence():
            assert_is_the_data(MNISTData(data_dir=folder))
        assert (folder / "mnist.npz").read_bytes() == content


def check_npy_in_npz(folder, damages):
    """What the zip's own checksums do not see: the array is damaged before it is packed."""
    with ZipFile(folder / "mnist.npz", "w") as archive:
        for name, array in ARRAYS.items():
            file = BytesIO()
            np.save(file, array)
            content = damaged(file.getvalue(), damages) if name == "x_test" else file.getvalue()
            archive.writestr(f"{name}.npy", content)
    with or_a_sentence():
        data = MNISTData(data_dir=folder)
        assert data.x_test.shape == (2, 28, 28, 1) and data.x_test.dtype == np.uint8
        np.testing.assert_array_equal(data.x_train[..., 0], IMAGES[:4])


def check_idx(folder, damages):
    for name, array in zip(_FASHION, ARRAYS.values(), strict=True):
        header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        content = gzip.compress(header + array.tobytes(), mtime=0)
        if name.startswith("t10k-images"):
            content = damaged(content, damages)
        (folder / f"{name}-ubyte.gz").write_bytes(content)
    with or_a_sentence():
        assert_is_the_data(FashionMNISTData(data_dir=folder))


def check_idx_in_gz(folder, damages):
    """What gzip's own checksum does not see."""
    for name, array in zip(_FASHION, ARRAYS.values(), strict=True):
        content = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        content += array.tobytes()
        if name.startswith("t10k-images"):
            content = damaged(content, damages)
        (folder / f"{name}-ubyte.gz").write_bytes(gzip.compress(content, 1))
    with or_a_sentence():
        data = FashionMNISTData(data_dir=folder)
        assert data.x_test.shape == (2, 28, 28, 1)
        np.testing.assert_array_equal(data.x_train[..., 0], IMAGES[:4])


def put_grey(path, level):
    Image.new("RGB", (8, 8), (level, level, level)).save(path)


def levels(data):
    images = np.concatenate([data.x_train[:], data.x_test[:]])
    return sorted(images[:, 2, 2, 0].tolist())


def check_pictures(folder, damages):
    """The whole ones beside them are read as ever."""
    for kind in KINDS:
        path = folder / f"damaged.{kind}"
        put_grey(path, 100)
        path.write_bytes(damaged(path.read_bytes(), damages))
    for number in range(3):
        put_grey(folder / f"whole {number}.png", number)
    data = ImageFolderData(folder, size=4)
    assert set(levels(data)) >= {0, 1, 2} and len(data.x_train) + len(data.x_test) <= 8


def check_zip_of_pictures(folder, damages):
    with ZipFile(folder / "img_align_celeba.zip", "w", ZIP_DEFLATED) as archive:
        for number in range(4):
            put_grey(folder / "picture.bmp", number)
            archive.write(folder / "picture.bmp", f"{number}.bmp")
    path = folder / "img_align_celeba.zip"
    path.write_bytes(damaged(path.read_bytes(), damages))
    # Sentences about a whole archive without pictures may be longer.
    with suppress(InputError):
        assert set(levels(CelebAData(path, size=4))) <= {0, 1, 2, 3}


def check_cache(folder, damages):
    """It is made again in the same start, from pictures that nothing touches."""
    for number in range(6):
        put_grey(folder / f"{number}.png", number)
    files = {path: path.read_bytes() for path in folder.iterdir()}
    ImageFolderData(folder, size=4)
    [path] = Path(os.environ["KERAS_HOME"]).rglob("*.npy")
    path.write_bytes(damaged(path.read_bytes(), damages))
    assert levels(ImageFolderData(folder, size=4)) == [0, 1, 2, 3, 4, 5]
    assert {path: path.read_bytes() for path in folder.iterdir()} == files


def check_development_kit(folder, damages):
    fields = {"bbox_x1": 2, "bbox_y1": 2, "bbox_x2": 7, "bbox_y2": 7}
    types = [(name, "O") for name in (*fields, "class", "fname")]
    rows = [(*fields.values(), n % 3 + 1, f"{n:05}.jpg") for n in range(4)]
    (folder / "cars_train").mkdir(exist_ok=True)
    for number in range(4):
        put_grey(folder / "cars_train" / f"{number:05}.jpg", number)
    names = np.array(["A", "B", "C"], dtype=object)
    savemat(folder / "cars_meta.mat", {"class_names": names})
    path = folder / "cars_train_annos.mat"
    savemat(path, {"annotations": np.array(rows, dtype=types)})
    path.write_bytes(damaged(path.read_bytes(), damages))
    with or_a_sentence():
        data = CarsData(folder, size=4, boxes=True)
        assert data.class_names == ("A", "B", "C")
        assert {*data.y_train, *data.y_test} <= {0, 1, 2}


ORIGIN = {"recipe": {"epochs": 2, "seed": 0}}


def check_results_folder(folder, damages):
    """Its files are read as none or as what they are, and nobody else's file is touched."""
    place, others = folder / "results", folder / "thesis.csv"
    others.write_text("of somebody")
    results = RunFolder(place, ORIGIN)
    for name in ("config.json", "metrics.json", "backup/origin.json"):
        shutil.rmtree(place, ignore_errors=True)
        with results.replacing() as staging:
            (staging / "model.keras").touch()
            write_figures(staging / "metrics.json", {"mode": "gen"})
        results.begin_backup()
        (results.backup / BACKUP).touch()
        (place / name).write_bytes(damaged((place / name).read_bytes(), damages))
        with results.in_use():
            for ask in (results.figures, results.trained_model, lambda: results.check_backup(True)):
                with or_a_sentence():
                    ask()
            with or_a_sentence(), results.replacing() as staging:
                (staging / "model.keras").touch()
    assert others.read_text() == "of somebody"


def check_backup(folder, damages):
    facts, values = {"epoch": 3, "history": {"loss": [0.5]}}, [np.arange(9.0), np.ones((2, 3))]
    write_backup(folder, facts, values)
    path = folder / BACKUP
    path.write_bytes(damaged(path.read_bytes(), damages))
    with or_a_sentence():
        same_facts, same_values = read_backup(folder)
        assert same_facts == facts
        for mine, theirs in zip(same_values, values, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def check_history(folder, damages):
    """A verdict, or that there is none."""
    gan = DCGAN((8, 8, 1), 4, width=1 / 32)
    table = "epoch,generator_loss,discriminator_loss,d_real,d_fake\n1,1,1,0.6,0.4\n2,1,1,0.7,0.3\n"
    (folder / "history.csv").write_bytes(damaged(table.encode(), damages))
    assert balance_in(RunFolder(folder, {}), gan)


# How many damages at every run, and in the slow test.
CHECKS = {
    check_npz: (25, 2000),
    check_npy_in_npz: (25, 2000),
    check_idx: (25, 2000),
    check_idx_in_gz: (25, 2000),
    check_pictures: (5, 300),
    check_zip_of_pictures: (5, 500),
    check_cache: (5, 500),
    check_development_kit: (1, 150),
    check_results_folder: (25, 1000),
    check_backup: (25, 1000),
    check_history: (10, 200),
}


def run(check, folder, count):
    @settings(max_examples=count, derandomize=True, deadline=None, database=None)
    @given(damages=DAMAGES)
    def once(damages):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            check(folder, damages)

    once()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_few_damages(check, tmp_path):
    run(check, tmp_path, CHECKS[check][0])


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_many_damages(check, tmp_path):
    run(check, tmp_path, CHECKS[check][1])
