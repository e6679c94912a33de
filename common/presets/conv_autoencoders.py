"""The convolutional autoencoders' presets: the code is a vector, or with `_map` a small image."""

from common.presets.autoencoders import ADAM, DECAYING
from common.presets.entry import preset

WIDTHS = {28: [16, 32, 64], 32: [32, 64, 128], 64: [32, 64, 128, 256]}


def _preset(model: str, data: str, side: int, channels: int, epochs: int, latent_dim: int) -> dict:
    # Small sets of large images take few steps in an epoch.
    batch_size = 64 if side == 64 else 128
    return preset(
        model,
        data,
        f"Down and Up blocks, a code of {latent_dim} numbers",
        (epochs, batch_size),
        DECAYING,
        image_shape=(side, side, channels),
        networks="conv",
        latent_dim=latent_dim,
        widths=WIDTHS[side],
        classifier_widths=[64],
    )


def _with_map(vector: dict) -> dict:
    """The preset with a map of 8 channels as its code, a quarter as high and wide."""
    own = {"networks": "conv_map", "latent_dim": 8}
    widths = vector["arguments"]["widths"][:2]
    return vector | {
        "about": "two Down and Up blocks, a code of 8 channels",
        "arguments": vector["arguments"] | own | {"widths": widths},
    }


CONV_AUTOENCODERS: dict[str, dict] = {}

# data, suffix of the name, side and channels of the images, epochs, numbers in the vector
for _data, _suffix, _side, _channels, _epochs, _latent_dim in (
    ("mono", "mnist", 28, 1, 15, 16),
    ("fashion", "fashion", 28, 1, 15, 16),
    ("digits", "digits", 28, 1, 100, 16),
    ("stacked", "stacked", 28, 3, 10, 48),
    ("cifar10", "cifar10", 32, 3, 30, 128),
    ("celeba", "celeba", 64, 3, 10, 256),
    ("cars", "cars", 64, 3, 100, 256),
    ("folder", "folder", 64, 3, 100, 256),
):
    for _model in ("AE", "VAE"):
        _name = f"conv_{_model.lower()}_{_suffix}"
        _vector = _preset(_model, _data, _side, _channels, _epochs, _latent_dim)
        if _model == "VAE" and _side > 28:
            # The cross-entropy hardly tells a sharp photograph from a blurred one.
            _vector["arguments"]["likelihood"] = "gaussian"
            # Larger first steps, of thousands of weights at once, throw the log-variances far off.
            _vector["compile"] = {"optimizer": ADAM, "cosine_decay": True}
        CONV_AUTOENCODERS[_name] = _vector
        CONV_AUTOENCODERS[f"{_name}_map"] = _with_map(_vector)
