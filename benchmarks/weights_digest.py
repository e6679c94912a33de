"""Digests of every model's weights after two epochs on the small digits, seed 0.

Run it before and after a change that must not touch the training, and compare the lines:

    KERAS_BACKEND=jax python benchmarks/weights_digest.py

It runs on commit 18c2691 too. The lines depend on the backend, its version and the processor.
"""

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from common import datasets, models, presets  # isort: skip  before Keras, which it silences
import keras
import numpy as np

# Labels only where the preset itself does not ask for them; JAX's CPU convolutions are slow.
NAMES = {
    "ae_digits": {"num_classes": 10},
    "vae_digits": {},
    "classifier_digits": {},
    "dcgan_digits": {},
    "lsgan_digits": {},
    "wgan_digits": {},
}


def digest(name: str, options: dict, data: datasets.ImageData) -> str:
    keras.utils.set_random_seed(0)
    recipe = presets.get(name)
    model = getattr(models, recipe["model"]).from_preset(name, seed=0, **options)
    labels = data.y_train if model.num_classes else None
    batch_size = recipe["fit"]["batch_size"]
    model.fit(data.x_train, labels, batch_size=batch_size, epochs=2, verbose=0)
    weights = [np.ascontiguousarray(keras.ops.convert_to_numpy(w)) for w in model.weights]
    return hashlib.sha256(b"".join(w.tobytes() for w in weights)).hexdigest()


if __name__ == "__main__":
    digits = datasets.load("digits")
    for name, options in NAMES.items():
        print(f"{keras.backend.backend():10} {name:17} {digest(name, options, digits)}", flush=True)
