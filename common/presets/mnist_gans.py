"""GANs of digits and clothes: the seed's recipe as it was, and the zoo's own."""

from common.presets.entry import preset

SHAPES = {
    "mono": (28, 28, 1),
    "fashion": (28, 28, 1),
    "digits": (28, 28, 1),
    "stacked": (28, 28, 3),
}


def adam(learning_rate: float) -> dict:
    """Keras's Adam with the β₁ of the DCGAN paper."""
    return {"class_name": "Adam", "config": {"learning_rate": learning_rate, "beta_1": 0.5}}


def rmsprop(learning_rate: float) -> dict:
    """Keras's RMSprop, the WGAN paper's choice."""
    return {"class_name": "RMSprop", "config": {"learning_rate": learning_rate}}


# Both well above the paper's 2e-4, and the generator's above the discriminator's.
UNEVEN = {
    "generator_optimizer": adam(1e-3),
    "discriminator_optimizer": adam(4e-4),
    "cosine_decay": True,
}
CRITIC = {
    "generator_optimizer": rmsprop(2e-4),
    "critic_optimizer": rmsprop(2e-4),
    "cosine_decay": True,
}
AVERAGED = {"ema_momentum": 0.999}


def epochs_of(model: str, epochs: int) -> int:
    """Twice as many for WGAN, whose generator takes one step where the others' take five."""
    return 2 * epochs if model == "WGAN" else epochs


MNIST_GANS: dict[str, dict] = {
    "dcgan_mnist_seed": preset(
        "DCGAN",
        "mono",
        "the seed's: Adam 1e-4 and 5e-5, batches of 256",
        (50, 256),
        {
            "generator_optimizer": {"class_name": "Adam", "config": {"learning_rate": 1e-4}},
            "discriminator_optimizer": {"class_name": "Adam", "config": {"learning_rate": 5e-5}},
        },
        image_shape=SHAPES["mono"],
        latent_dim=100,
        networks="mnist",
    ),
    **{
        f"{model.lower()}_{suffix}": preset(
            model,
            data,
            about,
            (epochs_of(model, epochs), 64),
            compile_with,
            image_shape=SHAPES[data],
            latent_dim=latent_dim,
            networks=networks,
            width=0.5,
            **AVERAGED,
        )
        for data, suffix, epochs, latent_dim in (
            ("mono", "mnist", 20, 32),
            ("fashion", "fashion", 20, 32),
            ("digits", "digits", 200, 32),
            # About 32 for each of the three digits.
            ("stacked", "stacked", 12, 100),
        )
        for model, networks, about, compile_with in (
            ("DCGAN", "paper", "large learning rates that decay, an averaged generator", UNEVEN),
            ("LSGAN", "paper", "as dcgan_mnist, with the squared loss", UNEVEN),
            ("WGAN", "paper_critic", "weight clipping, no BatchNorm in the critic", CRITIC),
        )
    },
}
