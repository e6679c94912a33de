"""The seeds' recipes (networks, losses, optimizers, batches) as plain PyTorch loops.

Each is PyTorch at its best: fused Adam, convolutions in channels_last, the whole set as one float32
tensor from which a permutation picks the batches, no `.item()` inside the epoch. The autoencoder's
code is linear: the seed's own, with a ReLU, ends at a higher error.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

N_CRITIC, CLIP = 5, 0.01
fused_adam = partial(torch.optim.Adam, fused=True)


class Recipe:
    """A training on images; what it learned is shown in NumPy arrays, `(N, H, W, C)` in [0, 1].

    Args:
        images: uint8, or float in [0, 1], `(N, H, W, C)`.
        networks: in training they move together between the modes of training and evaluation.
        batch_size: images per step; a smaller last batch is left out.
        epochs: of the recipe.
    """

    def __init__(
        self, images: np.ndarray, networks: Sequence[nn.Module], batch_size: int, epochs: int
    ):
        self.images = as_tensor(images)
        self.networks = nn.ModuleList(networks).to(memory_format=torch.channels_last)
        self.batch_size, self.epochs = batch_size, epochs

    def step(self, images: Tensor) -> None:
        """Train on a batch, `(N, C, H, W)` in [0, 1]."""
        raise NotImplementedError

    def epoch(self, over: Callable[[], bool]) -> None:
        """Train on all images once, in a new order, or until `over()`."""
        self.networks.train()
        for chosen in torch.randperm(len(self.images)).split(self.batch_size):
            if len(chosen) == self.batch_size:
                self.step(channels_first(self.images[chosen]))
            if over():
                break
        self.networks.eval()


class Autoencoder(Recipe):
    """The mean squared error."""

    def __init__(self, images, encoder: nn.Module, decoder: nn.Module, batch_size, epochs):
        super().__init__(images, (encoder, decoder), batch_size, epochs)
        self.encoder, self.decoder = encoder, decoder
        self.optimizer = fused_adam(self.networks.parameters(), lr=1e-3)

    def loss(self, images: Tensor) -> Tensor:
        return nn.functional.mse_loss(self.decoder(self.encoder(images)), images)

    def step(self, images: Tensor) -> None:
        self.optimizer.zero_grad()
        self.loss(images).backward()
        self.optimizer.step()

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        return in_blocks(lambda x: self.decoder(self.encoder(channels_first(x))), as_tensor(images))


class VariationalAutoencoder(Autoencoder):
    """Pixels · MSE + 0.01 · KL."""

    def loss(self, images: Tensor) -> Tensor:
        mean, log_var = self.encoder(images).chunk(2, dim=1)
        decoded = self.decoder(mean + torch.exp(log_var / 2) * torch.randn_like(mean))
        kl = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(dim=1).mean()
        return images[0].numel() * nn.functional.mse_loss(decoded, images) + 0.01 * kl

    def posterior(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = in_blocks(lambda x: self.encoder(channels_first(x)), as_tensor(images))
        mean, log_var = np.split(both, 2, axis=1)
        return mean, log_var

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return in_blocks(self.decoder, torch.from_numpy(codes))


class GAN(Recipe):
    """Cross-entropy on logits: the discriminator's step on detached fakes, then the generator's.

    Args:
        optimizers: the generator's and the discriminator's, given their parameters.
        latent_dim: dimensions of z, drawn from N(0, I).
    """

    def __init__(self, images, networks, optimizers: Sequence[Any], latent_dim: int, *fit: int):
        super().__init__(images, networks, *fit)
        self.generator, self.discriminator = networks
        pairs = zip(optimizers, networks, strict=True)
        self.optimizers = [make(network.parameters()) for make, network in pairs]
        self.latent_dim = latent_dim

    def step(self, images: Tensor) -> None:
        softplus = nn.functional.softplus  # of logits: the cross-entropy
        of_generator, of_discriminator = self.optimizers
        fakes = self.generated()
        of_discriminator.zero_grad()
        softplus(-self.discriminator(2 * images - 1)).mean().backward()
        softplus(self.discriminator(fakes.detach())).mean().backward()
        of_discriminator.step()
        of_generator.zero_grad()
        softplus(-self.discriminator(fakes)).mean().backward()
        of_generator.step()

    def generated(self) -> Tensor:
        return self.generator(torch.randn(self.batch_size, self.latent_dim))

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        z = np.random.default_rng(seed).standard_normal((n, self.latent_dim), "float32")
        return (in_blocks(self.generator, torch.from_numpy(z)) + 1) / 2


class WGAN(GAN):
    """A step of the critic for every batch, and one of the generator for every fifth."""

    steps = 0

    def step(self, images: Tensor) -> None:
        of_generator, of_critic = self.optimizers
        self.steps += 1
        with torch.no_grad():
            fakes = self.generated()
        of_critic.zero_grad()
        distance = self.discriminator(2 * images - 1).mean() - self.discriminator(fakes).mean()
        (-distance).backward()
        of_critic.step()
        with torch.no_grad():
            torch._foreach_clamp_min_([*self.discriminator.parameters()], -CLIP)
            torch._foreach_clamp_max_([*self.discriminator.parameters()], CLIP)
        if self.steps % N_CRITIC == 0:
            of_generator.zero_grad()
            (-self.discriminator(self.generated()).mean()).backward()
            of_generator.step()


def as_tensor(images: np.ndarray) -> Tensor:
    """Float32 in [0, 1], still `(N, H, W, C)`."""
    tensor = torch.from_numpy(np.ascontiguousarray(images))
    return tensor.float().div_(255) if images.dtype == np.uint8 else tensor


def channels_first(images: Tensor) -> Tensor:
    """`(N, H, W, C)` → `(N, C, H, W)`, which lies in memory as channels_last."""
    return images.permute(0, 3, 1, 2)


@torch.inference_mode()
def in_blocks(function: Callable[[Tensor], Tensor], values: Tensor) -> np.ndarray:
    """A function's values, of 500 rows at a time; images as `(N, H, W, C)`."""
    found = torch.cat([function(block) for block in values.split(500)])
    return (found.permute(0, 2, 3, 1) if found.ndim == 4 else found).numpy()


def dense(*sizes: int) -> list[nn.Module]:
    """Linear layers with ReLUs between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return layers[:-1]


def normalised(channels: int) -> list[nn.Module]:
    """BatchNorm, whose statistics keep 0.8 of the past, and LeakyReLU."""
    return [nn.BatchNorm2d(channels, momentum=0.2), nn.LeakyReLU(0.2)]


def dense_pair(widths: Sequence[int], outputs: int) -> tuple[nn.Module, nn.Module]:
    encoder = nn.Sequential(nn.Flatten(), *dense(784, *widths, outputs))
    back = dense(2, *reversed(widths), 784)
    return encoder, nn.Sequential(*back, nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28)))


def conv_pair(code: int) -> tuple[nn.Module, nn.Module]:
    """Three Down blocks of 16, 32 and 64 channels, a code of numbers, three Up blocks."""
    down: list[nn.Module] = [nn.ZeroPad2d(2)]
    for inputs, outputs in ((1, 16), (16, 32), (32, 64)):
        down += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), *normalised(outputs)]
        down += [nn.MaxPool2d(2)]
    up: list[nn.Module] = [nn.Linear(code, 1024), nn.Unflatten(1, (64, 4, 4)), *normalised(64)]
    for inputs, outputs in ((64, 32), (32, 16), (16, 16)):
        up += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), *normalised(outputs)]
    up += [nn.Conv2d(16, 1, 3, padding=1), nn.ZeroPad2d(-2), nn.Sigmoid()]
    return nn.Sequential(*down, nn.Flatten(), nn.Linear(1024, code)), nn.Sequential(*up)


def mnist_gan(channels: int = 1, latent_dim: int = 100) -> tuple[nn.Module, nn.Module]:
    """z → 7×7×256 → 128 → 64 → image, and 64 → 128 with dropout; 5×5 convolutions."""
    up: list[nn.Module] = [nn.Linear(latent_dim, size := 7 * 7 * 256, bias=False)]
    up += [nn.BatchNorm1d(size, momentum=0.2), nn.LeakyReLU(0.2), nn.Unflatten(1, (256, 7, 7))]
    for inputs, outputs, stride in ((256, 128, 1), (128, 64, 2)):
        shape = {"padding": 2, "output_padding": stride - 1, "bias": False}
        up += [nn.ConvTranspose2d(inputs, outputs, 5, stride, **shape), *normalised(outputs)]
    up += [nn.ConvTranspose2d(64, channels, 5, 2, padding=2, output_padding=1), nn.Tanh()]
    down: list[nn.Module] = []
    for inputs, outputs in ((channels, 64), (64, 128)):
        down += [nn.Conv2d(inputs, outputs, 5, 2, 2), nn.LeakyReLU(0.2), nn.Dropout(0.25)]
    return nn.Sequential(*up), nn.Sequential(*down, nn.Flatten(), nn.Linear(7 * 7 * 128, 1))


def polynomials_gan(widths: Sequence[int], critic: bool) -> tuple[nn.Module, nn.Module]:
    """z of 2 → 10×10×128, doubled twice; four 3×3 convolutions, a critic's without BatchNorm."""
    up: list[nn.Module] = [nn.Linear(2, 12800), nn.ReLU(), nn.Unflatten(1, (128, 10, 10))]
    for inputs, outputs in ((128, 128), (128, 64)):
        up += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 3, padding=1)]
        up += [nn.BatchNorm2d(outputs, momentum=0.2), nn.ReLU()]
    up += [nn.Conv2d(64, 1, 3, padding=1), nn.Tanh()]
    down: list[nn.Module] = []
    for inputs, outputs in pairwise((1, *widths)):
        down += [nn.Conv2d(inputs, outputs, 3, 2, 1)]
        down += [nn.BatchNorm2d(outputs, momentum=0.2)] if down[1:] and not critic else []
        down += [nn.LeakyReLU(0.2)] + [nn.Dropout(0.25)] * (not critic)
    return nn.Sequential(*up), nn.Sequential(*down, nn.Flatten(), nn.Linear(9 * widths[-1], 1))


def mnist_dcgan(images: np.ndarray) -> GAN:
    adams = [partial(fused_adam, lr=rate) for rate in (1e-4, 5e-5)]
    return GAN(images, mnist_gan(images.shape[-1]), adams, 100, 256, 50)


def polynomials_dcgan(images: np.ndarray) -> GAN:
    adams = [partial(fused_adam, lr=2e-4, betas=(0.5, 0.999))] * 2
    return GAN(images, polynomials_gan((16, 32, 64, 128), critic=False), adams, 2, 128, 100)


def polynomials_wgan(images: np.ndarray) -> WGAN:
    rmsprops = [partial(torch.optim.RMSprop, lr=5e-5, alpha=0.9, foreach=True)] * 2
    return WGAN(images, polynomials_gan((128, 256, 512, 1024), critic=True), rmsprops, 2, 128, 100)


RECIPES: dict[str, Callable[[np.ndarray], Recipe]] = {
    "ae": lambda images: Autoencoder(images, *dense_pair((128, 64), 2), 256, 40),
    "vae": lambda images: VariationalAutoencoder(images, *dense_pair((512, 64), 4), 128, 40),
    "conv_ae": lambda images: Autoencoder(images, *conv_pair(16), 128, 15),
    "mnist_dcgan": mnist_dcgan,
    "polynomials_dcgan": polynomials_dcgan,
    "polynomials_wgan": polynomials_wgan,
}
