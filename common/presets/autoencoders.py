"""The autoencoders' presets: the seeds' recipes as they were, and the zoo's own.

Names with `conv_` have convolutional networks, and with `_map` a small image as their code.
"""

from common.presets.entry import preset

MNIST_SHAPE = (28, 28, 1)
ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3}}
ADAM_FAST = {"class_name": "Adam", "config": {"learning_rate": 2e-3}}
CONSTANT = {"optimizer": ADAM, "cosine_decay": False}
DECAYING = {"optimizer": ADAM_FAST, "cosine_decay": True}


AUTOENCODERS: dict[str, dict] = {}


def _add(name, data, about, fit, compile_with, **own) -> None:
    """A preset for MNIST's images and codes of 2 numbers, unless its own arguments differ."""
    arguments = {"image_shape": MNIST_SHAPE, "latent_dim": 2} | own
    model = name.partition("_")[0].upper()
    AUTOENCODERS[name] = preset(model, data, about, fit, compile_with, **arguments)


# 0.1 beside the mean squared error is 78.4 beside its sum.
SEED = {"classifier_weight": 78.4}
_about = "784-128-64-2 and back, squared error; a linear code instead of the seed's ReLU"
_add("ae_mnist_seed", "mono", _about, (40, 256), CONSTANT, widths=[128, 64], **SEED)
_about = "784-512-64-2 and back, 784 · MSE + 0.01 · KL; classifier as in ae_mnist_seed"
_seed = {"widths": [512, 64], "likelihood": "squared_error", "beta": 0.01, **SEED}
_add("vae_mnist_seed", "mono", _about, (40, 128), CONSTANT, **_seed)
_about = "the one-layer model of Burda et al. (2016), new binary pixels in every epoch"
_data, _slow = {"name": "mono", "binarize": "sampled"}, {"optimizer": ADAM, "cosine_decay": True}
_add("vae_mnist_binarized", _data, _about, (400, 128), _slow, latent_dim=50, widths=[200, 200])

AE = {"widths": [512, 256, 64], "classifier_widths": [64]}
VAE = {"widths": [256, 256, 256], "classifier_widths": [64], "classifier_weight": 50.0}
# Wider codes, for what a plane cannot separate. The labels of the remaining classes shape the
# codes, on which the scores depend.
ANOMALY = {"latent_dim": 16, "widths": [512, 256], "likelihood": "bernoulli"}
ANOMALY |= {"num_classes": 10, "classifier_widths": [64]}
STACKED = {"image_shape": (28, 28, 3), "latent_dim": 48, "widths": [512, 512]}
STACKED |= {"likelihood": "bernoulli"}
# data, suffix of the name; (epochs, batch size) of the AE, the VAE and the anomaly models
for _data, _suffix, _ae_fit, _vae_fit, _anomaly_fit in (
    ("mono", "mnist", (60, 256), (30, 256), (12, 256)),
    ("fashion", "fashion", (60, 256), (30, 256), (12, 256)),
    ("digits", "digits", (100, 64), (70, 64), (60, 64)),
):
    _about = "squared error, more and wider layers than the seed's"
    _add(f"ae_{_suffix}", _data, _about, _ae_fit, DECAYING, **AE)
    _add(f"vae_{_suffix}", _data, "grey-level cross-entropy + KL", _vae_fit, DECAYING, **VAE)
    _about = "a code of 16 numbers, shaped by a classifier, for the mode anom"
    for _model, _weight in (("ae", 80.0), ("vae", 20.0)):
        _own = {**ANOMALY, "classifier_weight": _weight}
        _add(f"{_model}_{_suffix}_anomaly", _data, _about, _anomaly_fit, DECAYING, **_own)
for _model in ("ae", "vae"):
    _about = "one code of 48 numbers for all three channels"
    _add(f"{_model}_stacked", "stacked", _about, (10, 256), DECAYING, **STACKED)

_about = "the seed's Down and Up blocks, a code of 16 numbers"
_own = {"image_shape": MNIST_SHAPE, "networks": "conv", "latent_dim": 16, "widths": [16, 32, 64]}
AUTOENCODERS["conv_ae_mnist_seed"] = preset("AE", "mono", _about, (15, 128), DECAYING, **_own)

# Six minutes on two cores; 40 for tens of thousands of photographs.
FOLDER_UPDATES = ((0, 3000), (10_000, 20_000))
WIDTHS = {28: [16, 32], 32: [24, 48, 96], 64: [24, 48, 96, 192]}


def _convolutional(model: str, data: str, shape: tuple, epochs: int, latent_dim: int, code: str):
    """Strided blocks: with the code "vector", or "map", of 8 channels and a quarter as high."""
    side = shape[0]
    about = f"strided and sub-pixel convolutions, a code of {latent_dim} numbers"
    networks = {"networks": "strided", "latent_dim": latent_dim, "widths": WIDTHS[side]}
    if code == "map":
        about = "two strided and two sub-pixel convolutions, a code of 8 channels"
        networks = {"networks": "strided_map", "latent_dim": 8, "widths": WIDTHS[side][:2]}
    arguments = {"image_shape": shape, **networks, "classifier_widths": [64]}
    if side > 28:
        # The cross-entropy hardly tells a sharp photograph from a blurred one, and a fixed variance
        # lets the KL divergence grow to hundreds of nats.
        arguments["likelihood"] = "optimal_gaussian" if model == "VAE" else "squared_error"
        arguments["mirror"] = True
    if data == "folder":
        return preset(model, data, about, (FOLDER_UPDATES, 32), DECAYING, **arguments)
    # Small sets and large images take few steps in an epoch.
    fit = (epochs, 64 if side == 64 or data == "digits" else 256)
    return preset(model, data, about, fit, DECAYING, **arguments)


# data, suffix of the name, shape of the images, epochs, numbers in a vector
for _data, _suffix, _shape, _epochs, _latent_dim in (
    ("mono", "mnist", MNIST_SHAPE, 15, 16),
    ("fashion", "fashion", MNIST_SHAPE, 15, 16),
    ("digits", "digits", MNIST_SHAPE, 100, 16),
    ("stacked", "stacked", (28, 28, 3), 10, 48),
    ("cifar10", "cifar10", (32, 32, 3), 30, 128),
    ("celeba", "celeba", (64, 64, 3), 10, 256),
    ("cars", "cars", (64, 64, 3), 100, 256),
    ("folder", "folder", (64, 64, 3), 0, 64),
):
    for _model in ("AE", "VAE"):
        for _code, _end in (("vector", ""), ("map", "_map")):
            AUTOENCODERS[f"conv_{_model.lower()}_{_suffix}{_end}"] = _convolutional(
                _model, _data, _shape, _epochs, _latent_dim, _code
            )

# What others printed, by the names of the figures in metrics.json.
for _name, _figures in {
    "ae_mnist_seed": {"test_mse": 0.0388},
    "ae_mnist": {"test_mse": 0.0388, "classifier_accuracy": 0.957},
    "vae_mnist": {"classifier_accuracy": 0.939},
    "vae_mnist_binarized": {"nll": "86.8 to 87.8"},
}.items():
    AUTOENCODERS[_name]["published"] = _figures
