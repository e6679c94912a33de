"""Exported networks give what the model gives, in a process that knows no Keras."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_models import MODELS, images_of

from common import cli
from common.commands.export import networks_of

pytestmark = pytest.mark.slow

RUN_ONNX = """
import sys, numpy as np, onnxruntime
given, path, out = sys.argv[1:]
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
np.savez(out, *session.run(None, {session.get_inputs()[0].name: np.load(given)}))
assert not {"keras", "tensorflow", "jax", "torch"} & set(sys.modules)
"""
RUN_SAVED = """
import sys, numpy as np, tensorflow as tf
given, path, out = sys.argv[1:]
model = tf.saved_model.load(path)
found = model.serve(np.load(given))
np.savez(out, *(found if isinstance(found, (list, tuple)) else [found]))
"""
PUPILS = ["vae_classifier", "dcgan", "wgan", "classifier"]


@pytest.mark.parametrize("format", ["onnx", "savedmodel"])
@pytest.mark.parametrize("name", PUPILS)
def test_exported_networks_give_the_same(name, format, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    model = MODELS[name]()
    model.save("model.keras")
    assert cli.main(["export", "model.keras", "--format", format, "--output", "out"]) == 0
    said = capfd.readouterr().out
    for part, network in networks_of(model).items():
        shape = network.input_shape[1:]
        if len(shape) == 3:
            given = images_of(shape, 2)[0][:5].astype("float32") / 255
        else:
            given = np.random.default_rng(0).normal(size=(5, *shape)).astype("float32")
        np.save("given.npy", given)
        path = Path("out", part).with_suffix(".onnx" if format == "onnx" else "")
        assert f"{path}: (None, " in said
        code = RUN_ONNX if format == "onnx" else RUN_SAVED
        subprocess.run([sys.executable, "-c", code, "given.npy", path, "found.npz"], check=True)
        expected = network.predict(given, verbose=0)
        expected = expected if isinstance(expected, list) else [expected]
        with np.load("found.npz") as found:
            for mine, theirs in zip(expected, found.values(), strict=True):
                np.testing.assert_allclose(theirs, mine, atol=1e-5)


def test_decoders_and_generators_give_images_in_the_unit_range():
    vae, gan = MODELS["vae_classifier"](), MODELS["dcgan"]()
    z = np.random.default_rng(0).normal(size=(4, vae.latent_dim)).astype("float32")
    drawn = networks_of(vae)["decoder"].predict(z, verbose=0)
    np.testing.assert_allclose(drawn, vae.decode(z), atol=1e-6)
    z = np.random.default_rng(0).standard_normal((4, gan.latent_dim), "float32")
    drawn = networks_of(gan)["generator"].predict(z, verbose=0)
    np.testing.assert_allclose(drawn, gan.sample(4, seed=0), atol=1e-6)
