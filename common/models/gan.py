"""Generator and discriminator (Goodfellow et al. 2014); the variants add the losses."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.models.base import ImageModel
from common.models.gan_networks import frozen_statistics, packed, players
from common.training.players import PlayersOptimizer
from common.training.precision import precision

EVALUATION_SEED = 0


class TwoPlayerModel(ImageModel):
    """The step of a GAN; a variant states `generator_loss` and `discriminator_loss`.

    Inside, images are scaled to the [-1, 1] of the generator's tanh; what goes in and comes out is
    in [0, 1] as everywhere.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: dimensions of z, drawn from N(0, I).
        networks: a name in `common.models.gan_networks.NETWORKS`; by default "paper", those of the
            DCGAN paper.
        width: factor on the channels of both networks' layers.
        pack: how many images the discriminator judges together, as channels of one, so that a
            lack of variety shows (PacGAN, Lin et al. 2018); 1 for one by one.
        ema_momentum: keep an exponential moving average of the generator's weights and draw
            samples from it; None for none.
        seed: of the noise and of the images' order.

    Raises:
        InputError: an image shape that the networks cannot make, or another unusable argument.
    """

    drop_remainder = True
    validates = False
    learning_rates = (1e-3, 4e-4)
    default_networks = "paper"
    loss_name = "discriminator_loss"

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int = 100,
        *,
        networks: str | None = None,
        width: float = 1.0,
        pack: int = 1,
        ema_momentum: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if ema_momentum is not None and not 0 <= ema_momentum < 1:
            raise InputError(f"Got ema_momentum={ema_momentum}; expected 0 to below 1, or None.")
        super().__init__(image_shape, seed=seed, **kwargs)
        self.latent_dim = whole_number("latent_dim", latent_dim)
        self.networks = networks or self.default_networks
        self.width = width
        self.pack = whole_number("pack", pack)
        self.ema_momentum = ema_momentum
        with precision(self.dtype_policy):
            self.generator, self.discriminator = players(
                self.networks, self.image_shape, self.latent_dim, width, self.pack
            )
            self.ema_generator = None
            if ema_momentum is not None:
                self.ema_generator = keras.models.clone_model(self.generator)
                self.ema_generator.set_weights(self.generator.get_weights())
                self.ema_generator.trainable = False
        self.built = True

    @property
    def convolutional(self) -> bool:
        """Whether the discriminator has convolutions."""
        return any(isinstance(layer, keras.layers.Conv2D) for layer in self.discriminator.layers)

    @property
    def metric_names(self) -> list[str]:
        """Both losses, and the discriminator's mean beliefs that real and fake are real."""
        return ["generator_loss", self.loss_name, "d_real", "d_fake"]

    def generator_loss(self, fake: Any) -> Any:
        """The generator's loss per image of the scores `(N, 1)` of its images."""
        raise NotImplementedError

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """The discriminator's loss per image of the scores `(N, 1)` of real and fake images."""
        raise NotImplementedError

    def judge(self, real: Any, fake: Any) -> dict:
        """What is shown of the scores beside the losses."""
        return {"d_real": ops.mean(ops.sigmoid(real)), "d_fake": ops.mean(ops.sigmoid(fake))}

    def compile(
        self, generator_optimizer: Any = None, discriminator_optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Choose both optimizers; with none given, their learning rates decay.

        Args:
            generator_optimizer: as Keras takes it; None for Adam with a learning rate of 1e-3 and
                β₁ = 0.5, as in the recipes of digits and photographs (the DCGAN paper has 2e-4).
            discriminator_optimizer: likewise, with 4e-4.
            **kwargs: `ImageModel.compile`'s.

        Raises:
            InputError: one `optimizer`, or losses or metrics.
        """
        if "optimizer" in kwargs:
            raise InputError(
                "Got optimizer=; a GAN has two players: give generator_optimizer and "
                f"{self.loss_name.replace('loss', 'optimizer')}, or none of them."
            )
        given = (generator_optimizer, discriminator_optimizer)
        chosen = [
            self.default_optimizer(rate) if optimizer is None else keras.optimizers.get(optimizer)
            for optimizer, rate in zip(given, self.learning_rates, strict=True)
        ]
        pair = PlayersOptimizer(*chosen, scale_loss=self.dtype_policy.name == "mixed_float16")
        kwargs.setdefault("cosine_decay", given == (None, None))
        super().compile(pair, auto_scale_loss=False, **kwargs)

    def get_compile_config(self) -> dict | None:
        """Both optimizers, without their loss scaling: that follows from the precision."""
        if not self.compiled:
            return None
        inner = [getattr(player, "inner_optimizer", player) for player in self.optimizers]
        return {
            "optimizers": [keras.saving.serialize_keras_object(player) for player in inner],
            "cosine_decay": self.cosine_decay,
        }

    def compile_from_config(self, config: dict) -> None:
        """Compile as `get_compile_config` says."""
        self.compile(*config["optimizers"], cosine_decay=config["cosine_decay"])

    def default_optimizer(self, learning_rate: float) -> keras.optimizers.Optimizer:
        """Adam with β₁ = 0.5 (Radford et al. 2016, section 4)."""
        return keras.optimizers.Adam(learning_rate, beta_1=0.5)

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The generator's and the discriminator's."""
        return self.optimizer.players

    def build_optimizer(self) -> None:
        """Give each player's optimizer its player's weights."""
        self.optimizer.build_players(
            self.generator.trainable_variables, self.discriminator.trainable_variables
        )

    def prepare(self, images: Any) -> Any:
        """A batch as float32 in [-1, 1]."""
        return super().prepare(images) * 2.0 - 1.0

    def prior(self, count: Any) -> Any:
        """`count` draws of z."""
        return keras.random.normal((count, self.latent_dim), seed=self.seed_generator)

    def scores(self, images: Any, training: bool) -> Any:
        """The discriminator's scores `(N / pack, 1)`, rounded up, of images in [-1, 1]."""
        if self.pack > 1:
            images = packed(images, self.pack)
        return self.discriminator(images, training=training)

    def learn(self, images: Any, labels: Any = None) -> None:
        """One step of each player; the discriminator sees the fakes of the generator's step."""
        images = self.prepare(images)
        fakes = self.generator_step(ops.shape(images)[0])
        self.discriminator_step(images, fakes)

    def generator_step(self, count: Any) -> Any:
        """One step of the generator on `count` draws; returns the images it judged, detached."""
        z = self.prior(count)

        def loss():
            fakes = self.generator(z, training=True)
            with frozen_statistics(self.discriminator):
                scores = self.scores(fakes, training=True)
            value = ops.mean(self.generator_loss(scores))
            return value, (value, fakes)

        value, fakes = self.minimize(
            loss, self.generator.trainable_variables, self.optimizer.generator
        )
        self.update_average()
        self.track(count, generator_loss=value)
        return ops.stop_gradient(fakes)

    def discriminator_step(self, images: Any, fakes: Any) -> None:
        """One step of the discriminator on real and fake images in [-1, 1]."""

        def loss():
            real = self.scores(images, training=True)
            fake = self.scores(fakes, training=True)
            value = ops.mean(self.discriminator_loss(real, fake))
            return value, {self.loss_name: value, **self.judge(real, fake)}

        terms = self.minimize(
            loss, self.discriminator.trainable_variables, self.optimizer.discriminator
        )
        self.track(ops.shape(images)[0], **terms)

    def check_batch_size(self, batch_size: int, count: int) -> None:
        """Raise an `InputError` unless batches hold a pack and `count` images make a step."""
        super().check_batch_size(batch_size, count)
        if batch_size < self.pack:
            raise InputError(
                f"Got batches of {batch_size} images for packs of {self.pack}, which would show "
                "the same images again; raise batch_size or lower pack."
            )

    def update_average(self) -> None:
        """Move the averaged generator towards the generator, faster while there is little past."""
        if self.ema_generator is None:
            return
        step = ops.cast(self.optimizer.generator.iterations, "float32")
        momentum = ops.minimum(self.ema_momentum, (1.0 + step) / (10.0 + step))
        pairs = zip(self.ema_generator.variables, self.generator.variables, strict=True)
        for average, value in pairs:
            if keras.backend.is_float_dtype(average.dtype):  # not the state of a seed
                share = ops.cast(momentum, average.dtype)
                average.assign(share * average + (1.0 - share) * value)

    def assess(self, images: Any, labels: Any = None) -> None:
        """Both losses of one batch; every call draws the same z, so that figures repeat."""
        images = self.prepare(images)
        count = ops.shape(images)[0]
        z = keras.random.normal((count, self.latent_dim), seed=EVALUATION_SEED)
        fake = self.scores(self.generator(z, training=False), training=False)
        real = self.scores(images, training=False)
        self.track(
            count,
            generator_loss=ops.mean(self.generator_loss(fake)),
            **{self.loss_name: ops.mean(self.discriminator_loss(real, fake))},
            **self.judge(real, fake),
        )

    def call(self, z: Any, training: bool = False) -> Any:
        """Images in [0, 1] of draws `(N, latent_dim)`."""
        generator = self.ema_generator or self.generator
        return (generator(z, training=training) + 1.0) / 2.0

    def sample(self, n: int, seed: int | None = None, batch_size: int = 256) -> np.ndarray:
        """`n` generated images, `(n, H, W, C)` float32 in [0, 1]; the same for the same seed."""
        shape = (whole_number("n", n), self.latent_dim)
        z = np.random.default_rng(seed).standard_normal(shape, "float32")
        return (self.run(self.ema_generator or self.generator, z, batch_size) + 1.0) / 2.0

    def get_config(self) -> dict:
        """The constructor's arguments."""
        config = super().get_config()
        del config["num_classes"]
        return {
            **config,
            "latent_dim": self.latent_dim,
            "networks": self.networks,
            "width": self.width,
            "pack": self.pack,
            "ema_momentum": self.ema_momentum,
        }
