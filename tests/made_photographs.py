"""Small CelebA, Stanford Cars and CIFAR-10 with made pictures, for the tests."""

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def smooth_image(width, height):
    """A picture with a few soft patches of colour."""
    patches = Image.fromarray(RNG.integers(0, 256, (4, 4, 3), np.uint8))
    return patches.resize((width, height), Image.Resampling.BICUBIC)


def put_photographs(folder, names, width, height):
    folder.mkdir(parents=True)
    for name in names:
        smooth_image(width, height).save(folder / f"{name}.jpg")


def put_celeba(folder):
    """A few images under the published names; returns the folder to read them from."""
    # Numbers of the published training and test splits.
    numbers = [*range(1, 25), *range(182_638, 182_650)]
    put_photographs(folder / "img_align_celeba", [f"{n:06}" for n in numbers], 178, 218)
    return folder


def put_cars(folder):
    """A few training images, without the kit; returns the folder to read them from."""
    put_photographs(folder / "cars_train", [f"{n:05}" for n in range(1, 61)], 128, 96)
    return folder


def put_cifar10(folder):
    """A few images as arrays; returns the file."""
    folder.mkdir()
    arrays = {}
    for part, count in (("train", 24), ("test", 10)):
        arrays[f"x_{part}"] = np.stack([smooth_image(32, 32) for _ in range(count)])
        arrays[f"y_{part}"] = np.arange(count)[:, None] % 10
    np.savez(folder / "cifar10.npz", **arrays)
    return folder / "cifar10.npz"
