"""An autoencoder's two networks, by name."""

from collections.abc import Sequence

import keras

from common.errors import InputError, whole_number
from common.networks.conv import conv_decoder, conv_encoder
from common.networks.dense import ImageShape, dense_decoder, dense_network
from common.networks.strided import strided_encoder, sub_pixel_decoder

# The defaults of each name.
WIDTHS = {
    "dense": (512, 256, 64),
    "conv": (16, 32, 64),
    "conv_map": (16, 32),
    "strided": (16, 32),
    "strided_map": (16, 32),
}
LATENT_DIMS = {"dense": 2, "conv": 16, "conv_map": 8, "strided": 16, "strided_map": 8}
BUILDERS = {
    "conv": (conv_encoder, conv_decoder),
    "strided": (strided_encoder, sub_pixel_decoder),
}


def checked_widths(networks: str, widths: Sequence[int] | None) -> list[int]:
    """The given widths of the networks of this name, or its default ones.

    Raises:
        InputError: an unknown name, or a convolutional network without blocks.
    """
    if networks not in WIDTHS:
        raise InputError(f"Networks {networks!r} are unknown; choose from {[*WIDTHS]}.")
    chosen = WIDTHS[networks] if widths is None else widths
    if networks != "dense" and not len(chosen):
        raise InputError("Got no widths; expected the channels of one convolutional block or more.")
    return [whole_number("widths", width) for width in chosen]


def autoencoder_networks(
    networks: str, image_shape: ImageShape, latent_dim: int, parts: int, widths: Sequence[int]
) -> tuple[keras.Model, keras.Model]:
    """Build the encoder, with `parts` outputs of `latent_dim`, and the decoder of this name."""
    outputs = [latent_dim] * parts
    if networks == "dense":
        return (
            dense_network(image_shape, outputs, widths, "encoder"),
            dense_decoder(image_shape, latent_dim, widths),
        )
    kind, _, code = networks.partition("_")
    encoder, decoder = BUILDERS[kind]
    code = code or "vector"
    return (
        encoder(image_shape, outputs, widths, code),
        decoder(image_shape, latent_dim, widths, code),
    )
