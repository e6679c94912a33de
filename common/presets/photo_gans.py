"""GANs of small photographs: the CIFAR-10 seed's, the DCGAN paper's, and the zoo's own."""

from common.presets.entry import preset
from common.presets.mnist_gans import AVERAGED, CRITIC, UNEVEN, adam, epochs_of

SHAPES = {
    "cifar10": (32, 32, 3),
    "celeba": (64, 64, 3),
    "cars": (64, 64, 3),
    "folder": (64, 64, 3),
}


PAPER = {"generator_optimizer": adam(2e-4), "discriminator_optimizer": adam(2e-4)}

PHOTO_GANS: dict[str, dict] = {
    "dcgan_cifar10_seed": preset(
        "DCGAN",
        "cifar10",
        "the seed's: 32 filters, a discriminator that pools",
        (60, 128),
        PAPER,
        image_shape=SHAPES["cifar10"],
        latent_dim=100,
        networks="cifar10_pooled",
    ),
    **{
        f"dcgan_{data}_paper": preset(
            "DCGAN",
            data,
            "the DCGAN paper's: all its channels, Adam 2e-4",
            (epochs, 128),
            PAPER,
            image_shape=SHAPES[data],
            latent_dim=100,
            networks="paper",
            width=2.0,
        )
        for data, epochs in (("cifar10", 100), ("celeba", 25), ("cars", 500))
    },
    **{
        f"{model.lower()}_{data}": preset(
            model,
            data,
            about,
            (epochs_of(model, epochs), 64),
            compile_with,
            image_shape=SHAPES[data],
            latent_dim=100,
            networks=networks,
            width=width,
            **AVERAGED,
        )
        for data, epochs, width in (
            ("cifar10", 30, 0.5),
            ("celeba", 20, 0.5),
            ("cars", 200, 0.5),
            ("folder", 200, 0.5),
        )
        for model, networks, about, compile_with in (
            (
                "DCGAN",
                "paper",
                "the paper's, fewer channels; large learning rates that decay, averaged generator",
                UNEVEN,
            ),
            ("LSGAN", "paper", "as the DCGAN, with the squared loss", UNEVEN),
            ("WGAN", "paper_critic", "weight clipping, no BatchNorm in the critic", CRITIC),
        )
    },
}
