"""A disk that is really full: a tmpfs of a few megabytes, in a user namespace of its own."""

import os
import shutil
import subprocess
import sys

import pytest

MOUNT = 'mount -t tmpfs -o size=12m tmpfs "$0" && exec "$@"'
TRAINING = """
import os, sys, warnings
import common
import keras, numpy as np
from common.models import AE
from common.training.backup import read_backup

place = sys.argv[1]
images = np.random.default_rng(0).integers(0, 256, (64, 12, 12, 1), "uint8")
model = AE((12, 12, 1), widths=(600,), seed=0)  # 2.1 MB with Adam's moments
model.compile()
model.fit(images, epochs=1, verbose=0, resume=f"{place}/run")
epoch = read_backup(f"{place}/run")[0]["epoch"]
with open(f"{place}/fills", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(4096))
    except OSError:
        pass
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    history = model.fit(images, epochs=3, verbose=0, resume=f"{place}/run")
assert history.epoch == [0, 1, 2], history.epoch
assert any("No space left" in str(w.message) for w in caught), [str(w.message) for w in caught]
# The one that was there is whole, and nothing lies beside it.
assert read_backup(f"{place}/run")[0]["epoch"] == epoch
assert not [name for name in os.listdir(f"{place}/run") if "partial" in name]
try:
    model.save(f"{place}/full.keras")
except OSError as error:
    assert "No space left" in str(error), error
else:
    raise AssertionError("saved to a full disk")
left = sorted(os.listdir(place))
assert not [name for name in left if name.startswith("full") or "partial" in name], left
print("kept epoch", epoch)
"""


def on_small_disk(place, *command):
    """Run a command that sees a small empty disk at `place`."""
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", MOUNT, str(place), *command],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )


def test_a_full_disk_leaves_the_last_backup_whole(tmp_path):
    if not shutil.which("unshare") or on_small_disk(tmp_path, "true").returncode:
        pytest.skip("No tmpfs can be mounted here.")
    run = on_small_disk(tmp_path, sys.executable, "-c", TRAINING, str(tmp_path))
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout == "kept epoch 1\n"
