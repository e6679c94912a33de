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
WIDTHS = [512, 256, 64]

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
    "ae_mnist": _preset(
        "AE",
        "mono",
        "wider, deeper, with a decaying step",
        {"epochs": 40, "batch_size": 256},
        DECAYING,
        widths=WIDTHS,
    ),
    "vae_mnist": _preset(
        "VAE",
        "mono",
        "grey-level BCE + KL",
        {"epochs": 30, "batch_size": 256},
        DECAYING,
        widths=WIDTHS,
    ),
    "ae_fashion": _preset(
        "AE",
        "fashion",
        "as ae_mnist",
        {"epochs": 40, "batch_size": 256},
        DECAYING,
        widths=WIDTHS,
    ),
    "vae_fashion": _preset(
        "VAE",
        "fashion",
        "as vae_mnist",
        {"epochs": 30, "batch_size": 256},
        DECAYING,
        widths=WIDTHS,
    ),
    "ae_digits": _preset(
        "AE",
        "digits",
        "scikit-learn's small digits: fewer images, more epochs",
        {"epochs": 200, "batch_size": 64},
        DECAYING,
        widths=WIDTHS,
    ),
    "vae_digits": _preset(
        "VAE",
        "digits",
        "scikit-learn's small digits: fewer images, more epochs",
        {"epochs": 200, "batch_size": 64},
        DECAYING,
        widths=WIDTHS,
    ),
}
