"""The GANs' presets: the seeds' recipes as they were, and the zoo's own for every dataset."""

from common.presets.entry import preset

# The data's images.
SHAPES = {
    **dict.fromkeys(("mono", "fashion", "digits"), (28, 28, 1)),
    "stacked": (28, 28, 3),
    "cifar10": (32, 32, 3),
    **dict.fromkeys(("celeba", "cars", "folder"), (64, 64, 3)),
    "polynomials": (40, 40, 1),
}
POLYNOMIALS = {"name": "polynomials", "num_images": 20_000, "seed": 0}


def optimizer(kind: str, learning_rate: float, **options) -> dict:
    """A Keras optimizer as a config."""
    return {"class_name": kind, "config": {"learning_rate": learning_rate, **options}}


def adams(generator: float, discriminator: float, **schedule) -> dict:
    """`compile` with two Adams of these rates and the β₁ of the DCGAN paper."""
    return {
        "generator_optimizer": optimizer("Adam", generator, beta_1=0.5),
        "discriminator_optimizer": optimizer("Adam", discriminator, beta_1=0.5),
        **schedule,
    }


def rmsprops(generator: float, critic: float, **schedule) -> dict:
    """`compile` with two RMSprops of these rates, the WGAN paper's choice."""
    return {
        "generator_optimizer": optimizer("RMSprop", generator),
        "critic_optimizer": optimizer("RMSprop", critic),
        **schedule,
    }


SEED = {
    "generator_optimizer": optimizer("Adam", 1e-4),
    "discriminator_optimizer": optimizer("Adam", 5e-5),
}
PAPER = adams(2e-4, 2e-4)
EVEN = adams(4e-4, 4e-4, cosine_decay=True)
# Rates well above the paper's 2e-4, the generator's above the discriminator's.
UNEVEN = adams(1e-3, 4e-4, cosine_decay=True)
CRITIC = rmsprops(2e-4, 2e-4, cosine_decay=True)
SMOOTH_CRITIC = rmsprops(3e-4, 2e-4, cosine_decay=True)
AVERAGED = {"ema_momentum": 0.999}
CLIPPED = {"n_critic": 5, "clip_value": 0.01}

# About 20 minutes on two cores; two hours for tens of thousands of photographs.
FOLDER_UPDATES = ((0, 3000), (1000, 5000), (10_000, 30_000))

GANS: dict[str, dict] = {}


def _add(name, data, about, fit, compile_with, latent_dim, networks, **own) -> None:
    shape = SHAPES[data["name"] if isinstance(data, dict) else data]
    own = {"image_shape": shape, "latent_dim": latent_dim, "networks": networks, **own}
    model = name.partition("_")[0].upper()  # DCGAN, LSGAN, WGAN
    GANS[name] = preset(model, data, about, fit, compile_with, **own)


_about = "the seed's recipe: Adam 1e-4 and 5e-5, batches of 256"
_add("dcgan_mnist_seed", "mono", _about, (50, 256), SEED, 100, "mnist")
_about = "the seed's recipe: 32 filters, a discriminator that pools"
_add("dcgan_cifar10_seed", "cifar10", _about, (60, 128), PAPER, 100, "cifar10_pooled")
_about = "the seed's recipe: z of 2 dimensions, Adam 2e-4"
_add("dcgan_polynomials_seed", POLYNOMIALS, _about, (100, 128), PAPER, 2, "polynomials")
_about = "the seed's recipe: z of 2 dimensions, RMSprop 5e-5, 5 critic steps, clipped at 0.01"
_seed = (100, 128), rmsprops(5e-5, 5e-5), 2, "polynomials_critic"
_add("wgan_polynomials_seed", POLYNOMIALS, _about, *_seed, **CLIPPED)
_about = "networks for smooth grey values, samples from the averaged generator"
_own = (250, 128), SMOOTH_CRITIC, 32, "smooth_critic"
_add("wgan_polynomials", POLYNOMIALS, _about, *_own, **CLIPPED, **AVERAGED)
_about = "networks for smooth grey values, equal decaying rates, an averaged generator"
_add("dcgan_polynomials", POLYNOMIALS, _about, (150, 256), EVEN, 32, "smooth", **AVERAGED)
_about = "as dcgan_polynomials, with the squared loss"
_add("lsgan_polynomials", POLYNOMIALS, _about, (150, 256), EVEN, 32, "smooth", **AVERAGED)
_about = "the DCGAN paper's recipe: all its channels, Adam 2e-4"
for _data, _epochs in (("cifar10", 100), ("celeba", 25), ("cars", 500)):
    _add(f"dcgan_{_data}_paper", _data, _about, (_epochs, 128), PAPER, 100, "paper", width=2.0)

# data, suffix of the name, epochs, dimensions of z (stacked: about 32 for each of three digits)
for _data, _suffix, _epochs, _latent_dim in (
    ("mono", "mnist", 20, 32),
    ("fashion", "fashion", 20, 32),
    ("digits", "digits", 200, 32),
    ("stacked", "stacked", 12, 100),
    ("cifar10", "cifar10", 30, 100),
    ("celeba", "celeba", 20, 100),
    ("cars", "cars", 200, 100),
    ("folder", "folder", 0, 100),
):
    # WGAN's generator takes one step where the others' take five: twice the epochs.
    for _model, _networks, _about, _compile, _times in (
        ("dcgan", "paper", "large decaying learning rates, an averaged generator", UNEVEN, 1),
        ("lsgan", "paper", "as the DCGAN, with the squared loss", UNEVEN, 1),
        ("wgan", "paper_critic", "weight clipping, no BatchNorm in the critic", CRITIC, 2),
    ):
        _updates = tuple((least, _times * steps) for least, steps in FOLDER_UPDATES)
        _fit = _times * _epochs or _updates, 64
        _how = _fit, _compile, _latent_dim, _networks
        _add(f"{_model}_{_suffix}", _data, _about, *_how, width=0.5, **AVERAGED)

# DCGANs in the literature (PacGAN, Lin et al. 2018, table 2).
GANS["dcgan_stacked"]["published"] = {"modes": "79 to 392"}
