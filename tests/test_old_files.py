"""Files of the first version (commit 18c2691) still load, say the same and can be trained on.

`old_files` holds them, written on TensorFlow after an epoch of eight images and deflated, and what
their models returned then: `sample(3, seed=7)` and the verbs' answers to the images.
"""

from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_models import QUICK

from common.models import DCGAN, VAE, WGAN, ImageClassifier

FOLDER = Path(__file__).with_name("old_files")
KINDS = {"vae": VAE, "dcgan": DCGAN, "wgan": WGAN, "classifier": ImageClassifier}


@pytest.mark.parametrize("name", KINDS)
def test_an_old_file_says_what_it_said(name):
    with np.load(FOLDER / "outputs.npz") as outputs:
        images = outputs["images"]
        known = {key[len(name) + 1 :]: outputs[key] for key in outputs if key.startswith(name)}
    model = KINDS[name].load(FOLDER / f"{name}.keras")
    assert [int(o.iterations) for o in model.optimizers] == list(known.pop("steps"))
    rates = [float(o.learning_rate) for o in model.optimizers]
    np.testing.assert_allclose(rates, known.pop("rates"), 1e-6)
    assert known
    for verb, expected in known.items():
        run = getattr(model, verb)
        found = run(3, seed=7) if verb == "sample" else run(images)
        np.testing.assert_allclose(found, expected, 1e-5, 1e-5, err_msg=verb)


@pytest.mark.parametrize("name", KINDS)
def test_keras_loads_an_old_file_by_itself(name):
    model = keras.saving.load_model(FOLDER / f"{name}.keras", safe_mode=True)
    assert type(model) is KINDS[name] and model.compiled


def test_an_old_model_goes_on_training():
    model = ImageClassifier.load(FOLDER / "classifier.keras")
    model.compile(model.optimizer, **QUICK)
    images = np.zeros((8, 8, 8, 1), "uint8")
    model.fit(images, np.arange(8) % 3, batch_size=8, verbose=0)
    assert int(model.optimizer.iterations) == 3
