"""Training speed of the seed autoencoder, 784-128-64-2-64-128-784, against PyTorch and plain Keras.

- ours, on each backend: `AE.compile()` with its defaults, `fit` on the uint8 images.
- Keras, on TensorFlow and JAX: `compile("adam", "mse")` and `fit` on float32 arrays, as anybody
  would write it.
- PyTorch: a good plain loop: fused Adam, the whole set as one float32 tensor from which a
  permutation picks the batches, no `.item()` inside the epoch. Eager, and with `torch.compile`.

All draw a new order every epoch and take the same number of optimizer steps.
"""

from functools import partial
from itertools import pairwise

import numpy as np
from harness import (
    IMAGE_SHAPE,
    Contender,
    Job,
    keras_parameters,
    main,
    steady_fit,
    steady_loop,
)
from report import Target

WIDTHS = (128, 64)
LATENT_DIM = 2
PIXELS = 784
PYTORCH = ["PyTorch", "PyTorch compiled"]
SIZES = [PIXELS, *WIDTHS, LATENT_DIM, *reversed(WIDTHS), PIXELS]


def ours(images: np.ndarray, batch_size: int) -> Job:
    from common.models import AE

    model = AE(IMAGE_SHAPE, latent_dim=LATENT_DIM, widths=WIDTHS)
    model.compile()
    fit = partial(model.fit, images, batch_size=batch_size)
    return Job(partial(steady_fit, fit), keras_parameters(model))


def plain_keras(images: np.ndarray, batch_size: int) -> Job:
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((PIXELS,))])
    for width in WIDTHS:
        model.add(layers.Dense(width, activation="relu"))
    model.add(layers.Dense(LATENT_DIM))
    for width in reversed(WIDTHS):
        model.add(layers.Dense(width, activation="relu"))
    model.add(layers.Dense(PIXELS, activation="sigmoid"))
    model.compile("adam", "mse")
    x = images.reshape(-1, PIXELS).astype("float32") / 255
    fit = partial(model.fit, x, x, batch_size=batch_size)
    return Job(partial(steady_fit, fit), keras_parameters(model))


def plain_torch(images: np.ndarray, batch_size: int, compiled: bool = False) -> Job:
    import torch
    from torch import nn

    linear = [nn.Linear(a, b) for a, b in pairwise(SIZES)]
    middle = len(WIDTHS)
    modules: list[nn.Module] = []
    for index, module in enumerate(linear[:-1]):
        modules += [module] if index == middle else [module, nn.ReLU()]
    model = nn.Sequential(*modules, linear[-1], nn.Sigmoid())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    x = torch.from_numpy(images.reshape(-1, PIXELS)).float() / 255

    def loss(batch: torch.Tensor) -> torch.Tensor:
        return nn.functional.mse_loss(model(batch), batch)

    if compiled:
        loss = torch.compile(loss)

    def epoch() -> None:
        for chosen in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            loss(x[chosen]).backward()
            optimizer.step()

    return Job(partial(steady_loop, epoch), sum(p.numel() for p in model.parameters()))


if __name__ == "__main__":
    main(
        __doc__,
        [
            Contender("ours TensorFlow", ours, "tensorflow"),
            Contender("ours JAX", ours, "jax"),
            Contender("ours torch", ours, "torch"),
            Contender("Keras TensorFlow", plain_keras, "tensorflow"),
            Contender("Keras JAX", plain_keras, "jax"),
            Contender("PyTorch", plain_torch),
            Contender("PyTorch compiled", partial(plain_torch, compiled=True)),
        ],
        [
            Target("TensorFlow", ["ours TensorFlow"], PYTORCH, 1.3),
            Target("JAX", ["ours JAX"], PYTORCH, 1.4),
            Target("plain Keras", ["ours TensorFlow"], ["Keras TensorFlow"], 1.7),
        ],
        baseline="PyTorch",
        images=60_000,
        epochs=3,
        # A product forward and two back; each adds and multiplies.
        operations=6.0 * sum(a * b for a, b in pairwise(SIZES)),
    )
