"""Run on one backend, in a process of its own, by `test_backend.py`.

`python backend_probe.py FOLDER train` trains every model for three steps from given weights on
given noise and leaves the losses and the weights in FOLDER; `load` loads every model there that
was saved on another backend. Both leave what they found in one .npz.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from tiny_models import MODELS, QUICK, lesson, state_of, values_of

NAMES = {
    "ae_classifier": {},
    "vae_classifier": {"likelihood": "bernoulli"},
    "dcgan": {"ema_momentum": 0.9},
    "wgan": {},
}
# What the expected losses were found with, whatever the recipes come to.
RULES = {
    "ae_classifier": [keras.optimizers.Adam, [1e-3], {}],
    "vae_classifier": [keras.optimizers.Adam, [1e-3], {}],
    "dcgan": [keras.optimizers.Adam, [1e-4, 5e-5], {"beta_1": 0.5}],
    "wgan": [keras.optimizers.RMSprop, [3e-4, 2e-4], {}],
}
STEPS = 3


def given_noise(shape, *args, **kwargs):
    """The same draw for the same shape, on every backend and at every call."""
    count, *rest = shape
    draw = np.random.default_rng(rest).standard_normal((64, *rest), "float32")
    return keras.ops.convert_to_tensor(draw)[:count]


def give_weights(model):
    """Kernels of numbers that no backend has drawn; the rest are constants."""
    for index, variable in enumerate(model.trainable_variables):
        if variable.ndim > 1:
            draw = np.random.default_rng(index).standard_normal(variable.shape, "float32")
            variable.assign(draw * np.sqrt(2 / np.prod(variable.shape[:-1])))
    if getattr(model, "ema_generator", None):
        model.ema_generator.set_weights(model.generator.get_weights())


def trained(name):
    """A model after the steps, and its losses before each and after the last."""
    model = MODELS[name](**NAMES[name])
    give_weights(model)
    for layer in getattr(model, "discriminator", model).layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    rule, rates, options = RULES[name]
    model.compile(*(rule(rate, **options) for rate in rates), **QUICK)
    data = lesson(model, 16)
    losses = [model.evaluate(*data, batch_size=16, verbose=0)]
    for _ in range(STEPS):
        model.train_on_batch(*data)
        losses.append(model.evaluate(*data, batch_size=16, verbose=0))
    return model, np.array([[row[key] for key in sorted(row)] for row in losses])


def outputs(model):
    images = lesson(model, 4)[0]
    verbs = (model.reconstruct(images),) if hasattr(model, "reconstruct") else ()
    return np.concatenate([np.ravel(found) for found in (*verbs, model.sample(4, seed=0))])


def train(folder, found):
    keras.random.normal = given_noise
    for name in NAMES:
        model, found[f"{name}/losses"] = trained(name)
        for index, value in enumerate(values_of(model.weights)):
            found[f"{name}/weights/{index}"] = value
        model.save(folder / f"{name}.{keras.backend.backend()}.keras")
        found[f"{name}/outputs"] = outputs(model)
        found[f"{name}/optimizer"] = np.concatenate(
            [np.ravel(v) for v in state_of(model.optimizer)]
        )


def load(folder, found):
    for path in sorted(folder.glob("*.keras")):
        name, backend, _ = path.name.split(".")
        model = keras.saving.load_model(path, safe_mode=True)
        found[f"{backend}/{name}/outputs"] = outputs(model)
        found[f"{backend}/{name}/optimizer"] = np.concatenate(
            [np.ravel(v) for v in state_of(model.optimizer)]
        )


if __name__ == "__main__":
    folder, task = Path(sys.argv[1]), {"train": train, "load": load}[sys.argv[2]]
    results = {}
    task(folder, results)
    np.savez(folder / f"{sys.argv[2]}.{keras.backend.backend()}.npz", **results)
