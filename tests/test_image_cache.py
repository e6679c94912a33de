"""The cache of decoded images: when it is made and used, and that it is whole or not there."""

import errno
import json
import os
import shutil
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from zipfile import ZIP_DEFLATED, ZipFile

import keras
import numpy as np
import pytest
from PIL import Image

from common.datasets.photos import cache as image_cache
from common.datasets.photos import decoding as image_decoding
from common.datasets.photos import sources as image_sources
from common.datasets.photos.cache import cached_images
from common.datasets.photos.decoding import Decoding
from common.datasets.photos.sources import ImageFiles
from common.errors import InputError

SMALL = Decoding.of(4)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty Keras cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path):
    """Fifty images 00.png …; image n is uniformly grey 5 n."""
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(50):
        grey(5 * number).save(folder / f"{number:02}.png")
    return folder


@pytest.fixture
def decodings(monkeypatch):
    """The names of the files as they are decoded."""
    names = []
    decode = image_decoding.decode

    def counted(files, name, *rest):
        names.append(name)
        return decode(files, name, *rest)

    monkeypatch.setattr(image_decoding, "decode", counted)
    monkeypatch.setattr(image_cache, "decode", counted)
    return names


def grey(level, side=4):
    return Image.new("RGB", (side, side), (level, level, level))


def levels(cache):
    return cache.images.take(np.arange(len(cache.names)))[:, 0, 0, 0].tolist()


def files_in(home):
    """All but what Keras itself writes there when it is imported."""
    files = (path.name for path in home.rglob("*") if path.is_file())
    return sorted(name for name in files if name != "keras.json")


def test_images_in_the_order_of_the_names(home, folder):
    cache = cached_images(ImageFiles(folder), SMALL)
    assert cache.images.shape == (50, 4, 4, 3) and cache.images.dtype == np.uint8
    assert levels(cache) == list(range(0, 250, 5))
    assert cache.names == [f"{number:02}.png" for number in range(50)] and not cache.unreadable


def test_second_start_decodes_nothing(home, folder, decodings):
    first = cached_images(ImageFiles(folder), SMALL)
    assert sorted(decodings) == first.names
    decodings.clear()
    again = cached_images(ImageFiles(folder), SMALL)
    assert not decodings and again.names == first.names and levels(again) == levels(first)
    assert len(files_in(home)) == 1


def change_time(folder):
    os.utime(folder / "07.png", ns=(0, 0))


def change_content(folder):
    grey(99, side=5).save(folder / "07.png")


def add(folder):
    grey(1).save(folder / "new.png")


def remove(folder):
    (folder / "07.png").unlink()


def rename(folder):
    (folder / "07.png").rename(folder / "7.png")


@pytest.mark.parametrize("change", [change_time, change_content, add, remove, rename])
def test_changed_source_makes_a_new_cache_in_place_of_the_old(home, folder, change, decodings):
    cached_images(ImageFiles(folder), SMALL)
    before = files_in(home)
    decodings.clear()
    change(folder)
    cache = cached_images(ImageFiles(folder), SMALL)
    assert sorted(decodings) == cache.names == sorted(p.name for p in folder.iterdir())
    assert len(files_in(home)) == 1 and files_in(home) != before


def test_other_options_make_a_cache_of_their_own(home, folder, tmp_path):
    files = ImageFiles(folder)
    for decoding in (SMALL, Decoding.of(5), Decoding.of(4, channels=1), Decoding.of(4, fit="pad")):
        cached_images(files, decoding)
    assert len(files_in(home)) == 4
    cached_images(files, SMALL, {"07.png": (0, 0, 2, 2)})
    assert len(files_in(home)) == 5
    cached_images(files, SMALL, {"07.png": (0, 0, 3, 3)})
    assert len(files_in(home)) == 5, "the boxes are a part of the source"
    shutil.copytree(folder, tmp_path / "copy")
    cached_images(ImageFiles(tmp_path / "copy"), SMALL)
    assert len(files_in(home)) == 6


def test_two_sources_of_one_name_stay_apart(home, folder, tmp_path):
    other = tmp_path / "elsewhere" / "source"
    shutil.copytree(folder, other)
    grey(3).save(other / "00.png")
    assert levels(cached_images(ImageFiles(folder), SMALL))[0] == 0
    assert levels(cached_images(ImageFiles(other), SMALL))[0] == 3
    assert len(files_in(home)) == 2


def test_zip_is_read_without_unpacking_it(home, folder, tmp_path, decodings):
    with ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"inner/{path.name}")
        archive.writestr("__MACOSX/inner/._00.png", b"no picture")
        archive.writestr("readme.txt", b"no picture")
    cache = cached_images(ImageFiles(tmp_path / "pictures.zip"), SMALL)
    assert levels(cache) == list(range(0, 250, 5)) and cache.names[0] == "inner/00.png"
    decodings.clear()
    assert cached_images(ImageFiles(tmp_path / "pictures.zip"), SMALL).names == cache.names
    assert not decodings
    (tmp_path / "broken.zip").write_bytes((tmp_path / "pictures.zip").read_bytes()[:-30])
    with pytest.raises(InputError, match=r"broken\.zip cannot be used"):
        ImageFiles(tmp_path / "broken.zip")


def test_unreadable_files_are_named_and_left_out(home, folder, decodings):
    for number in range(10, 17):
        (folder / f"{number}.png").write_text("text")
    with pytest.warns(UserWarning) as caught:
        cache = cached_images(ImageFiles(folder), SMALL)
    message = str(caught[0].message)
    assert f"7 of 50 files in {folder} cannot be read and are left out: 10.png (not an" in message
    assert "14.png (not an image of a known format); and 2 more." in message
    assert levels(cache) == [5 * n for n in range(50) if n not in range(10, 17)]
    decodings.clear()
    with pytest.warns(UserWarning, match="7 of 50"):
        again = cached_images(ImageFiles(folder), SMALL)
    assert levels(again) == levels(cache) and again.unreadable == cache.unreadable
    assert decodings == [f"{number}.png" for number in range(10, 17)], "only these, again"


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "Permission denied"), OSError(errno.EIO, "I/O error")],
)
def test_file_that_becomes_readable_is_read(home, folder, monkeypatch, decodings, error):
    """Its name, size and time are as they were."""
    opened = ImageFiles.open

    def refuse(files, name):
        if name == "07.png":
            raise error
        return opened(files, name)

    # Damaged content is an OSError as well.
    Image.effect_noise((64, 64), 50).save(folder / "50.jpg")
    (folder / "50.jpg").write_bytes((folder / "50.jpg").read_bytes()[:1500])
    monkeypatch.setattr(ImageFiles, "open", refuse)
    for _ in range(2):
        decodings.clear()
        with pytest.warns(
            UserWarning, match=rf"2 of 51 .* 07\.png \({error.strerror}\); 50\.jpg \(im"
        ):
            assert len(cached_images(ImageFiles(folder), SMALL).names) == 49
    assert decodings == ["07.png", "50.jpg"]
    (folder / "50.jpg").unlink()
    with pytest.warns(UserWarning, match=r"1 of 50 "):
        assert len(cached_images(ImageFiles(folder), SMALL).names) == 49
    monkeypatch.setattr(ImageFiles, "open", opened)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(cached_images(ImageFiles(folder), SMALL).names) == 50
    assert len(files_in(home)) == 1


def test_nothing_readable_is_refused(home, folder):
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match=r"None of the 50 image files in .* 00\.png \(not an"):
        cached_images(ImageFiles(folder), SMALL)
    assert not files_in(home)


def test_half_written_is_never_seen(home, folder, monkeypatch):
    seen = []
    decode = image_decoding.decode

    def look(*args):
        seen.extend(files_in(home))
        return decode(*args)

    monkeypatch.setattr(image_decoding, "decode", look)
    cached_images(ImageFiles(folder), SMALL)
    assert seen and all(name.endswith(".part") for name in seen)
    assert [name.rpartition(".")[2] for name in files_in(home)] == ["npy"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError])
def test_stopping_leaves_nothing(home, folder, error, monkeypatch):
    decode = image_decoding.decode

    def stop(files, name, *rest):
        if name == "40.png":
            raise error
        return decode(files, name, *rest)

    monkeypatch.setattr(image_decoding, "decode", stop)
    with pytest.raises(error):
        cached_images(ImageFiles(folder), SMALL)
    assert not files_in(home)


def test_full_disk_leaves_nothing(home, folder, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be written to .*zoo-cache: No space left on dev"):
        cached_images(ImageFiles(folder), SMALL)
    assert not files_in(home)


def test_unwritable_home(home, folder, monkeypatch, decodings):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match=r"zoo-cache: Permission denied\. Make room .* KERAS_HOME"):
        cached_images(ImageFiles(folder), SMALL)
    assert not decodings


def damage_cut(path):
    path.write_bytes(path.read_bytes()[:2000])


def damage_notes(path):
    path.write_bytes(path.read_bytes()[:-1])


def damage_all(path):
    path.write_bytes(b"")


def replace(old, new):
    def damage(path):
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return damage


def damage_by_an_older_version(path):
    notes = {"names": [f"{number:02}.png" for number in range(50)], "unreadable": {}}
    np.save(path, np.full((50, 4, 4, 3), 9, np.uint8))
    with path.open("ab") as file:
        file.write(json.dumps(notes).encode())


@pytest.mark.parametrize(
    "damage",
    [
        damage_cut,
        damage_notes,
        damage_all,
        damage_by_an_older_version,
        replace(b"|u1", b"|i1"),
        replace(b"(50, 4", b"(49, 4"),
        replace(b"(50, 4", b"((((((("),
        replace(b"NUMPY", b"NUMPI"),
        replace(b'"07.png"', b'"77.png"'),
        replace(bytes([100] * 48), bytes([100] * 47 + [101])),
    ],
)
def test_damaged_cache_is_replaced(home, folder, damage):
    cached_images(ImageFiles(folder), SMALL)
    damage(next(home.rglob("*.npy")))
    with pytest.warns(UserWarning, match=r"The cache of .*source was damaged, or an older vers"):
        cache = cached_images(ImageFiles(folder), SMALL)
    assert levels(cache) == list(range(0, 250, 5)) and cache.names[7] == "07.png"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert levels(cached_images(ImageFiles(folder), SMALL)) == levels(cache)


def test_damaged_image_of_a_large_cache_is_noticed_when_it_is_read(home, folder, monkeypatch):
    monkeypatch.setattr(image_cache, "QUICK", 0)
    cached_images(ImageFiles(folder), SMALL)
    replace(bytes([100] * 48), bytes([100] * 47 + [101]))(next(home.rglob("*.npy")))
    cache = cached_images(ImageFiles(folder), SMALL)
    assert cache.images.take(np.arange(20))[:, 0, 0, 0].tolist() == list(range(0, 100, 5))
    with pytest.raises(InputError, match=r"Image 20 in .* so the file was removed\. Start again"):
        cache.images.take(np.arange(50))
    assert levels(cached_images(ImageFiles(folder), SMALL)) == list(range(0, 250, 5))


def test_what_a_kill_left_is_removed_at_the_next_start(home, folder):
    cached_images(ImageFiles(folder), SMALL)
    cache = next(home.rglob("*.npy"))
    left, written = cache.with_suffix(".1.part"), cache.with_name("other-2.part")
    left.write_bytes(b"half")
    with written.open("wb") as file:
        file.write(b"half")
        file.flush()
        if not image_cache.took_lock(file.fileno()):
            pytest.skip("no locks here")
        cached_images(ImageFiles(folder), SMALL)
        assert not left.exists() and written.exists() and cache.exists()
    cached_images(ImageFiles(folder), SMALL)
    assert not written.exists() and cache.exists()


def test_without_locks_what_a_kill_left_is_removed_in_time(home, folder, monkeypatch):
    monkeypatch.setattr(image_cache, "took_lock", lambda handle: False)
    cached_images(ImageFiles(folder), SMALL)
    cache = next(home.rglob("*.npy"))
    old, young = cache.with_suffix(".1.part"), cache.with_suffix(".2.part")
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 2 * image_cache.ABANDONED,) * 2)
    cached_images(ImageFiles(folder), SMALL)
    assert not old.exists() and young.exists() and cache.exists()
    add(folder)
    cached_images(ImageFiles(folder), SMALL)
    assert young.exists() and not cache.exists()


def test_writing_is_locked(home, folder, monkeypatch):
    """A start beside a writer does not take its file for one that a kill left."""
    decode = image_decoding.decode

    def clean(files, name, *rest):
        if name == "40.png":
            parts = list(home.rglob("*.part"))
            assert len(parts) == 1 and not image_cache._abandoned(parts[0])
        return decode(files, name, *rest)

    monkeypatch.setattr(image_decoding, "decode", clean)
    assert levels(cached_images(ImageFiles(folder), SMALL)) == list(range(0, 250, 5))


def test_what_cannot_fit_is_refused_before_decoding(home, folder, decodings, monkeypatch):
    with pytest.raises(InputError, match=r"99999×99999 pixels needs .* MB of memory, .* lower si"):
        cached_images(ImageFiles(folder), Decoding.of(99_999))
    usage = SimpleNamespace(total=10**9, used=10**9 - 2000, free=2000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(InputError, match=r"\(0 MB\) cannot be written to .*: No space left on dev"):
        cached_images(ImageFiles(folder), SMALL)
    assert not decodings and not files_in(home)


def test_huge_member_of_a_zip_is_left_out(home, folder, tmp_path, monkeypatch):
    with ZipFile(tmp_path / "pictures.zip", "w", ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
        archive.writestr("bomb.png", bytes(100_000))
    monkeypatch.setattr(image_sources, "LARGEST", 99_999)
    with pytest.warns(UserWarning, match=r"1 of 51 .* bomb\.png \(no picture has 100,000 bytes\)"):
        cache = cached_images(ImageFiles(tmp_path / "pictures.zip"), SMALL)
    assert levels(cache) == list(range(0, 250, 5))


def test_two_that_write_the_same_cache(home, folder):
    with ThreadPoolExecutor(2) as pool:
        caches = [*pool.map(lambda _: cached_images(ImageFiles(folder), SMALL), range(2))]
    assert levels(caches[0]) == levels(caches[1]) == list(range(0, 250, 5))
    assert [name.rpartition(".")[2] for name in files_in(home)] == ["npy"]


def test_complete_file_is_locked_until_it_has_its_name(home, folder, monkeypatch):
    replace = os.replace

    def checked(temporary, path):
        assert not image_cache._abandoned(Path(temporary))
        replace(temporary, path)

    monkeypatch.setattr(os, "replace", checked)
    cached_images(ImageFiles(folder), SMALL)


def test_long_jobs_say_how_far_they_are(home, folder, monkeypatch, capsys):
    cached_images(ImageFiles(folder), SMALL)
    assert capsys.readouterr().out == ""
    decode = image_decoding.decode
    counted = []

    def slow(files, name, *rest):
        if name == "03.png":
            time.sleep(0.2)
        return decode(files, name, *rest)

    class Bar(keras.utils.Progbar):
        def update(self, current):
            counted.append(current)
            self.interval = 0.0
            super().update(current)

    monkeypatch.setattr(keras.utils, "Progbar", Bar)
    monkeypatch.setattr(image_decoding, "decode", slow)
    monkeypatch.setattr(image_decoding, "PATIENCE", 0.1)
    cached_images(ImageFiles(folder), Decoding.of(5))
    assert counted == list(range(counted[0], 51)) and counted[0] <= 4
    shown = capsys.readouterr().out
    assert " 4/50" in shown and "50/50" in shown and "/decoded image" in shown
