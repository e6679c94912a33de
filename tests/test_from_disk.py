"""Training on images that stay on disk: the same as in memory, in bounded memory."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from tiny_models import MODELS, images_of

from common.datasets.lazy_arrays import StoredImages, StoredRows

BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]


def on_disk(images, path):
    np.save(path, images)
    return StoredRows(StoredImages(path), np.arange(len(images)))


@pytest.mark.parametrize("name", ["conv_ae", "photo_gan"])
def test_images_on_disk_teach_what_those_in_memory_do(name, tmp_path):
    histories, model = [], MODELS[name]()
    model.compile()
    images, _ = images_of(model.image_shape, 24)
    variables = [*model.variables, *model.optimizer.variables]
    start = [keras.ops.convert_to_numpy(variable) for variable in variables]
    for source in (images, on_disk(images, tmp_path / "images.npy")):
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        model.order = None  # The second time takes the same orders.
        histories.append(model.fit(source, epochs=2, batch_size=8, verbose=0).history)
    for metric, values in histories[0].items():
        np.testing.assert_allclose(histories[1][metric], values, 1e-4, 1e-6, err_msg=metric)


# As many faces as CelebA has, none of which takes room on the disk until it is written.
FACES = """
import sys
from pathlib import Path
from types import SimpleNamespace
import common
import numpy as np
from common.datasets.lazy_arrays import StoredImages, StoredRows
from common.evaluation.coverage import nearest_images
from common.commands.measure import figures_on_test
from common.models import AE, DCGAN

path = sys.argv[1]
np.lib.format.open_memmap(path, "w+", np.uint8, (202_599, 64, 64, 3))
faces = StoredImages(path)
train, test = (StoredRows(faces, np.arange(*ends)) for ends in ((200_000,), (200_000, 202_599)))
coder = AE(faces.shape[1:], networks="conv", widths=(4, 4, 4, 4), seed=0)
player = DCGAN(faces.shape[1:], width=1 / 32, seed=0)
for model in (coder, player):
    model.compile()
    model.fit(train, steps_per_epoch=5, batch_size=128, verbose=0)
figures_on_test(coder, SimpleNamespace(x_test=test, y_test=None), nll_samples=0)
nearest_images(player.sample(10, seed=0), train)
# Not ru_maxrss: Linux counts the memory of the process that started this one in it.
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has /proc")
@pytest.mark.parametrize("backend", BACKENDS)
def test_two_hundred_thousand_faces_take_bounded_memory(backend, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FACES, str(tmp_path / "faces.npy")],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert int(run.stdout.split()[-1]) < 1.5e6
