"""Shared by all tests: quiet backends, no window, and a command line that is quick."""

import gc
import os
import sys

import pytest

import common  # noqa: F401  before Keras, which it silences

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("MPLBACKEND", "Agg")
# TensorFlow and its graphs are millions of objects, which every full collection goes through.
gc.set_threshold(100_000, 50, 100)


@pytest.fixture(autouse=True)
def same_weights_at_every_run():
    """Initial weights that do not depend on which tests ran before."""
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def without_xla():
    """On TensorFlow no XLA, which takes longer to compile than a test's training to run."""
    from tiny_models import QUICK

    from common.models import base

    with pytest.MonkeyPatch.context() as patch:
        if QUICK:
            patch.setattr(base, "fastest_execution", lambda device, convolutional: QUICK)
        yield


@pytest.fixture(scope="session")
def verifier(tmp_path_factory):
    """The file of a tiny net for 28×28 images that has learned nothing but is sure of much."""
    import keras

    from common.models import ImageClassifier

    keras.utils.set_random_seed(0)
    net = ImageClassifier(width=1 / 16, seed=0)
    kernel = net.network.layers[-1].kernel
    kernel.assign(200 * kernel)
    net.compile()
    path = tmp_path_factory.mktemp("net") / "verifier.keras"
    net.save(path)
    return path
