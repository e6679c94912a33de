"""GANs of polynomial contours: the seed's recipes as they were, and the zoo's own."""

from common.presets.mnist_gans import adam, rmsprop

POLYNOMIALS = {"name": "polynomials", "num_images": 20_000, "seed": 0}


def _preset(model: str, about: str, fit: dict, compile_with: dict, **arguments) -> dict:
    return {
        "model": model,
        "about": about,
        "data": POLYNOMIALS,
        "arguments": {"image_shape": (40, 40, 1), **arguments},
        "compile": compile_with,
        "fit": fit,
    }


POLYNOMIAL_GANS: dict[str, dict] = {
    "dcgan_polynomials_seed": _preset(
        "DCGAN",
        "the seed's: z of 2 dimensions, Adam 2e-4",
        {"epochs": 100, "batch_size": 128},
        {"generator_optimizer": adam(2e-4), "discriminator_optimizer": adam(2e-4)},
        latent_dim=2,
        networks="polynomials",
    ),
    "wgan_polynomials_seed": _preset(
        "WGAN",
        "the seed's: z of 2 dimensions, RMSprop 5e-5, 5 critic steps, clipped at 0.01",
        {"epochs": 100, "batch_size": 128},
        {"generator_optimizer": rmsprop(5e-5), "critic_optimizer": rmsprop(5e-5)},
        latent_dim=2,
        networks="polynomials_critic",
        n_critic=5,
        clip_value=0.01,
    ),
    **{
        f"{model.lower()}_polynomials": _preset(
            model,
            about,
            {"epochs": 150, "batch_size": 256},
            {
                "generator_optimizer": adam(4e-4),
                "discriminator_optimizer": adam(4e-4),
                "cosine_decay": True,
            },
            latent_dim=32,
            networks="smooth",
            ema_momentum=0.999,
        )
        for model, about in (
            ("DCGAN", "smooth networks, even step sizes that decay, the averaged generator"),
            ("LSGAN", "as dcgan_polynomials, with the squared loss"),
        )
    },
    "wgan_polynomials": _preset(
        "WGAN",
        "smooth networks, samples of the averaged generator",
        {"epochs": 250, "batch_size": 128},
        {
            "generator_optimizer": rmsprop(3e-4),
            "critic_optimizer": rmsprop(2e-4),
            "cosine_decay": True,
        },
        latent_dim=32,
        networks="smooth_critic",
        n_critic=5,
        clip_value=0.01,
        ema_momentum=0.999,
    ),
}
