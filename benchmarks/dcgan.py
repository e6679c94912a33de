"""Training speed of the seed DCGAN (28×28, z 100, 5×5 convolutions) against PyTorch.

- ours: `DCGAN.compile()` with its defaults on TensorFlow, `fit` on the uint8 images, in float32
  and in mixed_bfloat16. The generator steps first, and the discriminator is shown the fakes of
  that step.
- PyTorch: the eager loop of the PyTorch DCGAN tutorial over the same networks: the discriminator
  on real images and on detached fakes, its step, then the generator through the discriminator, its
  step. Fused Adam, the whole set as one float32 tensor from which a permutation picks the batches,
  no `.item()` inside the epoch. In float32, in float32 and channels_last, and under bfloat16
  autocast in channels_last; the last two also with `torch.compile`.

All run the generator once and the discriminator three times a step, leave out the last batch where
it would be smaller, and draw a new order every epoch.
"""

from functools import partial

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

LATENT_DIM = 100
# Multiplications of one pass over an image. A step takes the generator forward and back, which is
# three passes, and so the discriminator on real images and on fakes; through it the generator's
# gradient takes two more.
GENERATOR = 100 * 12544 + 49 * 25 * 256 * 128 + 49 * 25 * 128 * 64 + 196 * 25 * 64
DISCRIMINATOR = 196 * 25 * 64 + 49 * 25 * 64 * 128 + 6272
OPERATIONS = 2.0 * (3 * GENERATOR + (3 + 3 + 2) * DISCRIMINATOR)


def ours(images: np.ndarray, batch_size: int, dtype: str = "float32") -> Job:
    from common.models import DCGAN

    model = DCGAN(IMAGE_SHAPE, LATENT_DIM, networks="mnist", dtype=dtype)
    model.compile()
    fit = partial(model.fit, images, batch_size=batch_size)
    return Job(partial(steady_fit, fit), keras_parameters(model))


def plain_torch(
    images: np.ndarray,
    batch_size: int,
    bfloat16: bool = False,
    channels_last: bool = False,
    compiled: bool = False,
) -> Job:
    import torch
    from seeds import mnist_gan
    from torch import nn

    layout = torch.channels_last if channels_last else torch.contiguous_format
    generator, discriminator = (net.to(memory_format=layout) for net in mnist_gan())
    parameters = [*generator.parameters(), *discriminator.parameters()]
    adam = partial(torch.optim.Adam, betas=(0.5, 0.999), fused=True)
    generator_optimizer = adam(generator.parameters(), lr=1e-4)
    discriminator_optimizer = adam(discriminator.parameters(), lr=5e-5)
    if compiled:
        generator, discriminator = torch.compile(generator), torch.compile(discriminator)
    criterion = nn.BCEWithLogitsLoss()
    x = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(
        memory_format=layout
    )
    ones, zeros = torch.ones(batch_size, 1), torch.zeros(batch_size, 1)
    autocast = partial(torch.autocast, "cpu", torch.bfloat16, enabled=bfloat16)

    def step(real: torch.Tensor) -> None:
        discriminator_optimizer.zero_grad()
        with autocast():
            real_loss = criterion(discriminator(real).float(), ones)
        real_loss.backward()
        with autocast():
            fakes = generator(torch.randn(batch_size, LATENT_DIM)).contiguous(memory_format=layout)
            fake_loss = criterion(discriminator(fakes.detach()).float(), zeros)
        fake_loss.backward()
        discriminator_optimizer.step()

        generator_optimizer.zero_grad()
        with autocast():
            generator_loss = criterion(discriminator(fakes).float(), ones)
        generator_loss.backward()
        generator_optimizer.step()

    def epoch() -> None:
        for chosen in torch.randperm(len(x)).split(batch_size):
            if len(chosen) == batch_size:
                step(x[chosen])

    return Job(partial(steady_loop, epoch), sum(p.numel() for p in parameters))


def pytorch(dtype: str, compiled: bool = False, channels_last: bool = True) -> Contender:
    """A contender, named by what it does."""
    words = ("PyTorch", dtype, "channels_last" * channels_last, "compiled" * compiled)
    train = partial(
        plain_torch, bfloat16=dtype == "bfloat16", channels_last=channels_last, compiled=compiled
    )
    return Contender(" ".join(filter(None, words)), train, dtype=dtype)


if __name__ == "__main__":
    in_float32 = [pytorch("float32", channels_last=False), pytorch("float32")]
    in_float32.append(pytorch("float32", compiled=True))
    in_bfloat16 = [pytorch("bfloat16"), pytorch("bfloat16", compiled=True)]
    half = partial(ours, dtype="mixed_bfloat16")
    main(
        __doc__,
        [
            Contender("ours float32", ours, "tensorflow"),
            Contender("ours mixed_bfloat16", half, "tensorflow", "bfloat16"),
            *in_float32,
            *in_bfloat16,
        ],
        [
            Target("float32", ["ours float32"], [c.name for c in in_float32], 1.4),
            Target("bfloat16", ["ours mixed_bfloat16"], [c.name for c in in_bfloat16], 1.2),
        ],
        baseline="PyTorch float32",
        images=2560,
        epochs=2,
        operations=OPERATIONS,
    )
