"""Decoded paths through a latent space: over the plane, along each dimension, between images."""

from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from common.errors import InputError, numbers, real_array, whole_number
from common.plots.style import styled
from common.plots.tiles import as_images, draw_grid


@styled
def manifold(
    decode: Callable[[np.ndarray], np.ndarray],
    n: int = 20,
    codes: np.ndarray | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Decode an n × n grid of 2-D codes and draw it as a map of the latent plane.

    The codes have equal steps of probability, from the 5 % to the 95 % quantile of each dimension.

    Args:
        decode: (N, 2) float32 codes -> (N, H, W, C) images, uint8 or floats in [0, 1].
        n: images along each side, at least 2.
        codes: (N, 2), whose quantiles replace the standard normal's (for an autoencoder).
        title: lines above the map.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    shares = np.linspace(0.05, 0.95, whole_number("n", n, 2))
    if codes is None:
        z1 = z2 = np.array([NormalDist().inv_cdf(share) for share in shares])
    else:
        codes = numbers("The codes", codes)
        if codes.ndim != 2 or codes.shape[1] != 2:
            raise InputError(
                f"The manifold is a map of a latent plane, and these codes are {codes.shape}. "
                "Train with latent_dim=2, or look at `traversals` or `tsne` instead."
            )
        z1, z2 = np.quantile(codes, shares, axis=0).T
    # Rows of images run downwards, an axis upwards: the first row has the largest z2.
    z2 = z2[::-1]
    plane = np.stack(np.meshgrid(z1, z2), axis=-1).reshape(-1, 2).astype(np.float32)
    images = as_images(decode(plane), "decoded images")
    if len(images) != len(plane):
        raise InputError(f"decode gave {len(images)} images for {len(plane)} codes.")
    whose = "N(0, 1)" if codes is None else "the codes"
    ends = f"from the 5 % to the 95 % quantile of {whose}"
    labels = (f"latent dimension 1, {ends}", f"latent dimension 2, {ends}")
    names = {"row_labels": _some(z2), "column_labels": _some(z1)}
    return draw_grid(images, n, title, ax, labels, **names)


def traversals(
    images: np.ndarray,
    shares: Sequence[float],
    dimensions: Sequence[int] | np.ndarray | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Any:
    """Draw what each latent dimension changes in the image.

    Args:
        images: (rows, len(shares), H, W, C), C 1 or 3; uint8 or floats in [0, 1].
        shares: the quantile that the row's dimension takes in each column, in [0, 1].
        dimensions: the dimension of each row, counted from 0; None for all in order.
        title: lines above the images, such as what orders the rows.
        ax: an axes to draw on; None for a figure of its own.

    Returns:
        The figure.
    """
    images = real_array("The images", images)
    if dimensions is None:
        dimensions = range(len(images) if images.ndim else 0)
    rows = numbers("The dimensions", dimensions, images.shape[:1])
    columns = numbers("The shares", shares, ("S",), 0, 1)
    labels = [f"{dimension + 1:g}" for dimension in rows]
    axis_labels = ("quantile of that dimension's codes", "latent dimension")
    return _rows(images, columns, axis_labels, title, ax, labels)


def interpolation(images: np.ndarray, title: str | None = None, ax: Axes | None = None) -> Any:
    """Draw the way from one image to another, decoded at equal steps between their codes.

    Args:
        images: (steps, H, W, C), or (pairs, steps, H, W, C) with a row for each pair; C 1 or 3;
            uint8 or floats in [0, 1]; both ends included.
        title, ax: as in `traversals`.

    Returns:
        The figure.
    """
    images = real_array("The images", images)
    if images.ndim == 4:
        images = images[None]
    way = "way from the first image's code to the second's"
    shares = np.linspace(0, 1, images.shape[1] if images.ndim == 5 else 2)
    return _rows(images, shares, (way, "pairs of images"), title, ax)


@styled
def _rows(
    images: np.ndarray,
    shares: np.ndarray,
    labels: tuple[str, str],
    title: str | None,
    ax: Axes | None,
    row_labels: Sequence[str] | None = None,
) -> Any:
    """Draw images (rows, len(shares), H, W, C) over their shares."""
    if images.ndim != 5 or images.shape[1] != len(shares):
        raise InputError(
            f"images have shape {images.shape}; expected (rows, {len(shares)}, H, W, C)."
        )
    names = {"row_labels": row_labels, "column_labels": [f"{share:.0%}" for share in shares]}
    images = as_images(images.reshape(-1, *images.shape[2:]))
    return draw_grid(images, len(shares), title, ax, labels, **names)


def _some(values: np.ndarray) -> list[str]:
    """Labels for about six of the values, the first and last always, and empty ones for others."""
    shown = set(np.linspace(0, len(values) - 1, min(len(values), 6)).round().astype(int))
    # Rounded first, or the middle of the normal distribution reads "-1.39e-16".
    return [f"{round(value, 6) + 0:.3g}" if i in shown else "" for i, value in enumerate(values)]
