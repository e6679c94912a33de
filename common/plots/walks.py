"""Walks through a latent space, decoded: over the plane, along each dimension, between images."""

from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

from common.errors import InputError
from common.plots.style import Figure
from common.plots.tiles import add_grid, as_images, trim


def manifold(
    decode: Callable[[np.ndarray], np.ndarray],
    latent_dim: int = 2,
    n: int = 20,
    codes: np.ndarray | None = None,
) -> Figure:
    """Decode an n × n grid of codes and draw it as a map of the latent plane.

    The grid stands at equal steps of probability, from the 5 % to the 95 % quantile of each
    latent dimension, so that the map shows what the model would sample.

    Args:
        decode: (N, 2) float32 codes -> (N, H, W, C) images, uint8 or floats in [0, 1].
        latent_dim: the model's; only 2 makes a plane.
        n: images along each side.
        codes: (N, 2) encoded images, for a model without a prior (an autoencoder): the quantiles
            are theirs instead of the standard normal's.

    Raises:
        InputError: `latent_dim` or the codes' width is not 2, n < 2, or `decode` returns no images.
    """
    width = latent_dim if codes is None else np.shape(codes)[-1]
    if latent_dim != 2 or width != 2:
        raise InputError(
            f"The manifold is a map of a latent plane, and this latent space has {width} "
            "dimensions. Train with latent_dim=2, or look at `traversals` or `tsne` instead."
        )
    if n < 2:
        raise InputError(f"n is {n}; a map needs at least 2 images along each side.")
    shares = np.linspace(0.05, 0.95, n)
    if codes is None:
        z1 = z2 = np.array([NormalDist().inv_cdf(share) for share in shares])
    else:
        z1, z2 = np.quantile(codes, shares, axis=0).T
    # Images run downwards, an axis upwards: the first row is the largest z2.
    z2 = z2[::-1]
    plane = np.stack(np.meshgrid(z1, z2), axis=-1).reshape(-1, 2).astype(np.float32)
    images = as_images(decode(plane), "decoded images")
    if len(images) != n * n:
        raise InputError(
            f"decode returned {len(images)} images for {n * n} codes; expected one each."
        )

    figure = Figure()
    axes = add_grid(figure, images, n, row_labels=_some(z2), column_labels=_some(z1))
    axes.set(xlabel="latent dimension 1", ylabel="latent dimension 2")
    return trim(figure)


def traversals(
    images: np.ndarray, shares: Sequence[float], dimensions: Sequence[int] | None = None
) -> Figure:
    """Draw what each latent dimension does when it alone is moved.

    Args:
        images: (rows, len(shares), H, W, C), C 1 or 3; uint8 or floats in [0, 1]: each row holds
            the images decoded while one dimension is moved and the others stay.
        shares: in [0, 1], one per column: the quantile of the dimension's codes that it is moved
            to, as by `traversal_codes`.
        dimensions: which dimension each row moves, counted from 0; all in order by default.

    Raises:
        InputError: another shape or range, or another number of shares or dimensions.
    """
    images = np.asarray(images)
    if images.ndim != 5 or images.shape[1] != len(shares):
        raise InputError(
            f"images have shape {images.shape} for {len(shares)} quantiles; "
            f"expected (rows, {len(shares)}, H, W, C)."
        )
    if dimensions is None:
        dimensions = range(len(images))
    if len(dimensions) != len(images):
        raise InputError(
            f"Got {len(dimensions)} dimensions for {len(images)} rows of images; expected one each."
        )
    figure = Figure()
    axes = add_grid(
        figure,
        as_images(images.reshape(-1, *images.shape[2:])),
        len(shares),
        row_labels=[str(dimension + 1) for dimension in dimensions],
        column_labels=[f"{share:.0%}" for share in shares],
    )
    axes.set(xlabel="quantile of that dimension's codes", ylabel="latent dimension")
    return trim(figure)


def interpolation(images: np.ndarray) -> Figure:
    """Draw the way from one image to another, decoded at equal steps between their codes.

    Args:
        images: (steps, H, W, C) for one way or (ways, steps, H, W, C) for several, a row each;
            C 1 or 3; uint8 or floats in [0, 1]; the ends included.

    Raises:
        InputError: another shape or range, or fewer than two steps.
    """
    images = np.asarray(images)
    if images.ndim == 4:
        images = images[None]
    if images.ndim != 5 or images.shape[1] < 2:
        raise InputError(
            f"images have shape {images.shape}; expected (steps, H, W, C) or "
            "(ways, steps, H, W, C) with at least two steps."
        )
    steps = images.shape[1]
    figure = Figure()
    axes = add_grid(
        figure,
        as_images(images.reshape(-1, *images.shape[2:])),
        steps,
        column_labels=[f"{share:.0%}" for share in np.linspace(0, 1, steps)],
    )
    axes.set(xlabel="way from the first image's code to the second's", ylabel="pairs of images")
    return trim(figure)


def _some(values: np.ndarray) -> list[str]:
    """Label about six of the values, the outermost always, and leave the others empty."""
    shown = set(np.linspace(0, len(values) - 1, min(len(values), 6)).round().astype(int))
    # Rounded first, or the middle of the normal distribution reads "-1.39e-16".
    return [f"{round(value, 6) + 0:.3g}" if i in shown else "" for i, value in enumerate(values)]
