"""GANs of polynomial contours: the seed's recipes as they were, and the zoo's own."""

from common.presets.entry import preset
from common.presets.mnist_gans import adam, rmsprop

POLYNOMIALS = {"name": "polynomials", "num_images": 20_000, "seed": 0}
SHAPE = (40, 40, 1)


POLYNOMIAL_GANS: dict[str, dict] = {
    "dcgan_polynomials_seed": preset(
        "DCGAN",
        POLYNOMIALS,
        "the seed's: z of 2 dimensions, Adam 2e-4",
        (100, 128),
        {"generator_optimizer": adam(2e-4), "discriminator_optimizer": adam(2e-4)},
        image_shape=SHAPE,
        latent_dim=2,
        networks="polynomials",
    ),
    "wgan_polynomials_seed": preset(
        "WGAN",
        POLYNOMIALS,
        "the seed's: z of 2 dimensions, RMSprop 5e-5, 5 critic steps, clipped at 0.01",
        (100, 128),
        {"generator_optimizer": rmsprop(5e-5), "critic_optimizer": rmsprop(5e-5)},
        image_shape=SHAPE,
        latent_dim=2,
        networks="polynomials_critic",
        n_critic=5,
        clip_value=0.01,
    ),
    **{
        f"{model.lower()}_polynomials": preset(
            model,
            POLYNOMIALS,
            about,
            (150, 256),
            {
                "generator_optimizer": adam(4e-4),
                "discriminator_optimizer": adam(4e-4),
                "cosine_decay": True,
            },
            image_shape=SHAPE,
            latent_dim=32,
            networks="smooth",
            ema_momentum=0.999,
        )
        for model, about in (
            ("DCGAN", "smooth networks, even learning rates that decay, the averaged generator"),
            ("LSGAN", "as dcgan_polynomials, with the squared loss"),
        )
    },
    "wgan_polynomials": preset(
        "WGAN",
        POLYNOMIALS,
        "smooth networks, samples of the averaged generator",
        (250, 128),
        {
            "generator_optimizer": rmsprop(3e-4),
            "critic_optimizer": rmsprop(2e-4),
            "cosine_decay": True,
        },
        image_shape=SHAPE,
        latent_dim=32,
        networks="smooth_critic",
        n_critic=5,
        clip_value=0.01,
        ema_momentum=0.999,
    ),
}
