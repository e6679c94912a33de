"""GANs of small photographs: the CIFAR-10 seed's, the DCGAN paper's, and the zoo's own."""

from common.presets.mnist_gans import AVERAGED, CRITIC, adam

SHAPES = {
    "cifar10": (32, 32, 3),
    "celeba": (64, 64, 3),
    "cars": (64, 64, 3),
    "folder": (64, 64, 3),
}


def _preset(
    model: str, data: str, about: str, fit: tuple[int, int], compile_with: dict, **arguments
) -> dict:
    epochs, batch_size = fit
    return {
        "model": model,
        "about": about,
        "data": {"name": data},
        "arguments": {"image_shape": SHAPES[data], "latent_dim": 100, **arguments},
        "compile": compile_with,
        "fit": {"epochs": epochs, "batch_size": batch_size},
    }


EVEN = {
    "generator_optimizer": adam(2e-4),
    "discriminator_optimizer": adam(2e-4),
    "cosine_decay": True,
}

PHOTO_GANS: dict[str, dict] = {
    "dcgan_cifar10_seed": _preset(
        "DCGAN",
        "cifar10",
        "the seed's: 32 filters, a discriminator that pools",
        (60, 128),
        {"generator_optimizer": adam(2e-4), "discriminator_optimizer": adam(2e-4)},
        networks="cifar10_pooled",
    ),
    **{
        f"dcgan_{data}_paper": _preset(
            "DCGAN",
            data,
            "the DCGAN paper's: all its channels, Adam 2e-4",
            (epochs, 128),
            {"generator_optimizer": adam(2e-4), "discriminator_optimizer": adam(2e-4)},
            networks="paper",
            width=2.0,
        )
        for data, epochs in (("cifar10", 100), ("celeba", 25), ("cars", 500))
    },
    **{
        f"{model.lower()}_{data}": _preset(
            model,
            data,
            about,
            (epochs, batch_size),
            compile_with,
            networks=networks,
            width=width,
            **AVERAGED,
        )
        for data, epochs, width in (
            ("cifar10", 100, 1.0),
            ("celeba", 400, 0.5),
            ("cars", 500, 0.5),
            ("folder", 400, 0.5),
        )
        for model, networks, batch_size, about, compile_with in (
            (
                "DCGAN",
                "paper",
                128,
                "the paper's with fewer channels, step sizes that decay, an averaged generator",
                EVEN,
            ),
            ("LSGAN", "paper", 128, "as the DCGAN, with the squared loss", EVEN),
            ("WGAN", "paper_critic", 64, "weight clipping, no BatchNorm in the critic", CRITIC),
        )
    },
}
