"""The autoencoders' presets: the seeds' recipes as they were, and the zoo's own."""

MNIST_SHAPE = (28, 28, 1)
ADAM = {"class_name": "Adam", "config": {"learning_rate": 1e-3}}
ADAM_FAST = {"class_name": "Adam", "config": {"learning_rate": 2e-3}}


def _preset(model: str, data: str, about: str, fit: dict, compile_with: dict, **arguments) -> dict:
    return {
        "model": model,
        "about": about,
        "data": {"name": data},
        "arguments": {"image_shape": MNIST_SHAPE, "latent_dim": 2, **arguments},
        "compile": compile_with,
        "fit": fit,
    }


CONSTANT = {"optimizer": ADAM, "cosine_decay": False}
DECAYING = {"optimizer": ADAM_FAST, "cosine_decay": True}
ZOO = {"compile_with": DECAYING, "widths": [512, 256, 64], "classifier_widths": [64]}

AUTOENCODERS: dict[str, dict] = {
    "ae_mnist_seed": _preset(
        "AE",
        "mono",
        "784-128-64-2 and back, squared error; a linear code in place of the seed's ReLU; the "
        "seed's classifier weighs 0.1 beside the mean squared error, 78.4 beside its sum",
        {"epochs": 40, "batch_size": 256},
        CONSTANT,
        widths=[128, 64],
        classifier_weight=78.4,
    ),
    "vae_mnist_seed": _preset(
        "VAE",
        "mono",
        "784-512-64-2 and back, 784 · MSE + 0.01 · KL",
        {"epochs": 40, "batch_size": 128},
        CONSTANT,
        widths=[512, 64],
        likelihood="squared_error",
        beta=0.01,
        classifier_weight=78.4,
    ),
}

for _data, _suffix, _fit in (
    ("mono", "mnist", {"epochs": 40, "batch_size": 256}),
    ("fashion", "fashion", {"epochs": 40, "batch_size": 256}),
    ("digits", "digits", {"epochs": 150, "batch_size": 64}),
):
    AUTOENCODERS[f"ae_{_suffix}"] = _preset("AE", _data, "squared error", _fit, **ZOO)
    AUTOENCODERS[f"vae_{_suffix}"] = _preset(
        "VAE", _data, "grey-level BCE + KL", _fit, classifier_weight=50.0, **ZOO
    )
