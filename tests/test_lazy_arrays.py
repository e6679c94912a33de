"""Images that are read when indexed: they are indexed like an array, and feed a model."""

import os
import pickle
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from common.datasets.base import drawn_split
from common.datasets.lazy_arrays import StoredImages, StoredRows
from common.errors import InputError
from common.images import UnitRange
from common.training.batches import ArrayBatches
from common.training.inputs import check_images, is_array


@pytest.fixture
def path(tmp_path):
    """Fifty images in a file; image n is uniformly grey 5 n."""
    levels = np.arange(0, 250, 5, dtype=np.uint8)[:, None, None, None]
    np.save(tmp_path / "images.npy", np.broadcast_to(levels, (50, 4, 4, 3)))
    return tmp_path / "images.npy"


@pytest.fixture
def rows(path):
    """Every second of them, from the end."""
    return StoredRows(StoredImages(path), np.arange(48, -2, -2))


def test_rows_are_an_array(rows):
    whole = np.asarray(rows)
    assert whole.shape == rows.shape == (25, 4, 4, 3) and rows.ndim == 4 and len(rows) == 25
    assert whole[:, 1, 2, 0].tolist() == [10 * n for n in range(24, -1, -1)]
    assert whole.dtype == rows.dtype == np.uint8 and whole.flags.writeable
    indices = [3, -1, np.int64(4), slice(2, 9, 3), slice(None), np.array([5, 5, 0]), [1, 2]]
    for index in [*indices, whole[:, 0, 0, 0] > 100, np.array([], int), np.array([[1], [2]])]:
        np.testing.assert_array_equal(rows[index], whole[index], strict=True)
    assert np.asarray(rows, np.float32).dtype == np.float32
    assert len(list(rows)) == 25
    for index in (25, np.array([25])):
        with pytest.raises(IndexError):
            rows[index]
    for index in ((0, 1), None, ...):
        with pytest.raises(TypeError, match="indexed by image alone"):
            rows[index]
    with pytest.raises(ValueError, match="only by a copy"):
        np.asarray(rows, copy=False)


def test_rows_read_in_several_threads(rows):
    whole = np.asarray(rows)
    indices = np.random.default_rng(0).integers(25, size=(200, 10))
    with ThreadPoolExecutor(8) as pool:
        for index, images in zip(indices, pool.map(rows.read, indices), strict=True):
            np.testing.assert_array_equal(images, whole[index])


def test_rows_of_rows(rows):
    np.testing.assert_array_equal(rows.select(np.array([4, 2]))[:], rows[[4, 2]])
    changed = rows.select(np.arange(3), lambda images: images + 1)
    np.testing.assert_array_equal(changed[:], rows[:3] + 1)
    changed = changed.select(np.array([2]))
    np.testing.assert_array_equal(changed[:], rows[[2]] + 1)
    np.testing.assert_array_equal(changed[0], rows[2] + 1)


def test_rows_feed_a_model(rows):
    assert is_array(rows) and check_images(rows, (4, 4, 3)) is rows
    batches = ArrayBatches((rows, np.arange(25)), 8, shuffle=True, drop_remainder=True)
    images, numbers = batches[1]
    np.testing.assert_array_equal(images, np.asarray(rows)[numbers])
    np.testing.assert_array_equal(UnitRange(rows)[3], np.asarray(rows)[3] / np.float32(255))


def test_rows_outlive_the_file_and_travel(rows, path):
    whole = np.asarray(rows)
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(rows))), whole)
    path.unlink()
    np.testing.assert_array_equal(np.asarray(rows), whole)


def test_file_cut_off_while_it_is_read(rows, path):
    os.truncate(path, 2000)
    with pytest.raises(InputError, match="ends before its image 48: make it again"):
        rows[0]


def test_damaged_image_is_noticed_when_it_is_first_read(path):
    checksums = np.array([zlib.crc32(image) for image in np.load(path)])
    images = StoredImages(path, checksums)
    assert images.take(np.array([[3, 4], [5, 49]]))[1, 1, 0, 0, 0] == 245
    with path.open("r+b") as file:
        file.seek(images.start + 7 * 48)
        file.write(b"\x01")
    other = pickle.loads(pickle.dumps(images))
    for reader in (images, other):
        assert reader.take(np.arange(7))[:, 0, 0, 0].tolist() == [*range(0, 35, 5)]
        with pytest.raises(InputError, match=r"Image 7 in .* is damaged, so the file was removed"):
            reader.take(np.arange(10))
        assert not path.exists()


def test_drawn_split():
    train, test = drawn_split(100, "here")
    assert len(test) == 10 and sorted([*train, *test]) == list(range(100))
    np.testing.assert_array_equal(test, drawn_split(100, "here", 0.1, seed=0)[1])
    assert not np.array_equal(test, drawn_split(100, "here", 0.1, seed=1)[1])
    assert [len(part) for part in drawn_split(2, "here", 0.01)] == [1, 1]
    assert [len(part) for part in drawn_split(2, "here", 0.99)] == [1, 1]
    with pytest.raises(InputError, match="here holds one image that can be read; at least two"):
        drawn_split(1, "here")
