"""The autoencoders' presets: the seeds' recipes as they were, and the zoo's own."""

from common.presets.entry import preset

MNIST_SHAPE = (28, 28, 1)
ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3}}
ADAM_FAST = {"class_name": "Adam", "config": {"learning_rate": 2e-3}}
CONSTANT = {"optimizer": ADAM, "cosine_decay": False}
DECAYING = {"optimizer": ADAM_FAST, "cosine_decay": True}


def _preset(
    model: str, data: str | dict, fit: tuple[int, int], compile_with: dict, about: str, **own
) -> dict:
    """For MNIST's images and codes of 2 numbers, unless its own arguments say otherwise."""
    arguments = {"image_shape": MNIST_SHAPE, "latent_dim": 2} | own
    return preset(model, data, about, fit, compile_with, **arguments)


AUTOENCODERS: dict[str, dict] = {
    "ae_mnist_seed": _preset(
        "AE",
        "mono",
        (40, 256),
        CONSTANT,
        "784-128-64-2 and back, squared error; a linear code in place of the seed's ReLU; the "
        "seed's classifier weighs 0.1 beside the mean squared error, 78.4 beside its sum",
        widths=[128, 64],
        classifier_weight=78.4,
    ),
    "vae_mnist_seed": _preset(
        "VAE",
        "mono",
        (40, 128),
        CONSTANT,
        "784-512-64-2 and back, 784 · MSE + 0.01 · KL; classifier as in ae_mnist_seed",
        widths=[512, 64],
        likelihood="squared_error",
        beta=0.01,
        classifier_weight=78.4,
    ),
}

# data, suffix of the name, (epochs, batch size) of the AE and of the VAE
for _data, _suffix, _ae_fit, _vae_fit in (
    ("mono", "mnist", (60, 256), (30, 256)),
    ("fashion", "fashion", (60, 256), (30, 256)),
    ("digits", "digits", (100, 64), (70, 64)),
):
    AUTOENCODERS[f"ae_{_suffix}"] = _preset(
        "AE",
        _data,
        _ae_fit,
        DECAYING,
        "squared error, more and wider layers than the seed's",
        widths=[512, 256, 64],
        classifier_widths=[64],
    )
    AUTOENCODERS[f"vae_{_suffix}"] = _preset(
        "VAE",
        _data,
        _vae_fit,
        DECAYING,
        "grey-level cross-entropy + KL",
        widths=[256, 256, 256],
        classifier_widths=[64],
        classifier_weight=50.0,
    )

# Wider codes, for what a plane is too narrow to tell apart. The labels of the classes that are not
# left out shape the anomaly models' codes, which their scores live on.
CLASSIFIED = {"num_classes": 10, "classifier_widths": [64]}
for _data, _suffix, _fit in (
    ("mono", "mnist", (12, 256)),
    ("fashion", "fashion", (12, 256)),
    ("digits", "digits", (60, 64)),
):
    for _model, _weight in (("AE", 80.0), ("VAE", 20.0)):
        AUTOENCODERS[f"{_model.lower()}_{_suffix}_anomaly"] = _preset(
            _model,
            _data,
            _fit,
            DECAYING,
            "a code of 16 numbers, shaped by a classifier, for the mode anom",
            latent_dim=16,
            widths=[512, 256],
            classifier_weight=_weight,
            likelihood="bernoulli",
            **CLASSIFIED,
        )
for _model in ("AE", "VAE"):
    AUTOENCODERS[f"{_model.lower()}_stacked"] = _preset(
        _model,
        "stacked",
        (10, 256),
        DECAYING,
        "one code of 48 numbers for all three channels",
        image_shape=(28, 28, 3),
        latent_dim=48,
        widths=[512, 512],
        likelihood="bernoulli",
    )
AUTOENCODERS["vae_mnist_binarized"] = _preset(
    "VAE",
    {"name": "mono", "binarize": "sampled"},
    (400, 128),
    {"optimizer": ADAM, "cosine_decay": True},
    "the one-layer model of Burda et al. (2016): 784-200-200-50 and back, pixels drawn anew",
    latent_dim=50,
    widths=[200, 200],
)
