"""Generator and discriminator (Goodfellow et al. 2014); the variants add the losses."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.metrics import KNOWN, MetricKind
from common.models.base import EVALUATION_SEED, ImageModel
from common.models.gan_steps import frozen_statistics, packed, update_average
from common.networks.gans import gan_networks
from common.networks.own import LATENT_DIM, copy_of, own_gan
from common.training.gan_optimizer import GANOptimizer
from common.training.precision import in_float32


class GAN(ImageModel):
    """The step of a GAN; a variant defines `generator_loss` and `discriminator_loss`.

    Images go in and come out in [0, 1]; inside they are in the [-1, 1] of the generator's tanh.
    `score_kind` says what the discriminator's scores are: "probability" (logits), "score" or
    "distance" (only their difference means something).

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: dimensions of z, drawn from N(0, I).
        networks: a name in `common.networks.gans.NETWORKS`; the DCGAN paper's by default.
        width: factor on the channels of both networks' layers.
        generator: your own, instead of `networks` and `width`: any Keras model from z
            `(N, latent_dim)` to images `(N, H, W, C)` in [-1, 1].
        discriminator: your own, from images `(N, H, W, pack · C)` in [-1, 1] to scores `(N, 1)`.
        pack: images that the discriminator judges together, as channels of one, so that a lack of
            variety shows (PacGAN, Lin et al. 2018).
        ema_momentum: sample from an exponential moving average of the generator, unless None.
        seed: seed of the weights, the dropout, the noise and the order of the images.

    Raises:
        InputError: an image shape that the networks cannot make, or another unusable argument.
    """

    generator: Any
    discriminator: Any
    drop_remainder = True
    validates = False
    default_networks = "paper"
    loss_name = "discriminator_loss"
    score_kind = "probability"

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int = LATENT_DIM,
        *,
        networks: str | None = None,
        width: float = 1.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        pack: int = 1,
        ema_momentum: float | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if ema_momentum is not None and not 0 <= ema_momentum < 1:
            raise InputError(f"Got ema_momentum={ema_momentum}; expected 0 to below 1, or None.")
        if self.score_kind not in (kinds := ("probability", "score", "distance")):
            raise InputError(f"score_kind is {self.score_kind!r}; expected one of {kinds}.")
        super().__init__(image_shape, seed=seed, **kwargs)
        self.latent_dim = whole_number("latent_dim", latent_dim)
        self.networks, self.width = networks, width
        self.pack = whole_number("pack", pack)
        self.ema_momentum = ema_momentum
        if generator is None and discriminator is None:
            self.networks = networks or self.default_networks
            with self.new_layers():
                generator, discriminator = gan_networks(
                    self.networks, self.image_shape, self.latent_dim, width, self.pack
                )
        else:
            self.own_networks = ("generator", "discriminator")
            replaced = {"networks": networks, "width": None if width == 1 else width}
            self.latent_dim = own_gan(
                generator, discriminator, replaced, self.image_shape, latent_dim, self.pack
            )
        self.generator, self.discriminator = generator, discriminator
        self.call_shape = (self.latent_dim,)
        self.ema_generator = None if ema_momentum is None else copy_of(generator)
        if self.ema_generator:
            self.ema_generator.trainable = False
        self.built = True

    def generator_loss(self, fake: Any) -> Any:
        """The generator's loss per image, given the scores `(N, 1)` of its images."""
        raise NotImplementedError

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """The discriminator's loss per image, given the scores `(N, 1)` of real and fake images."""
        raise NotImplementedError

    def score_metrics(self, real: Any, fake: Any) -> dict:
        """The metrics of the scores `(N, 1)`, shown beside the losses; see `score_kind`."""
        if self.score_kind == "distance":
            return {"critic_distance": ops.mean(real) - ops.mean(fake)}
        if self.score_kind == "score":
            return {"score_real": ops.mean(real), "score_fake": ops.mean(fake)}
        return {"d_real": ops.mean(ops.sigmoid(real)), "d_fake": ops.mean(ops.sigmoid(fake))}

    def discriminator_metrics(self, real: Any, fake: Any) -> dict:
        """The discriminator's mean loss for the scores `(N, 1)`, and the `score_metrics`."""
        loss = ops.mean(self.discriminator_loss(real, fake))
        return {self.loss_name: loss, **self.score_metrics(real, fake)}

    @property
    def metric_kinds(self) -> dict[str, MetricKind]:
        """Both losses and the `score_metrics`; a name that the zoo does not know has no kind."""
        losses = dict.fromkeys(("generator_loss", self.loss_name), MetricKind("player loss"))
        scores = self.score_metrics(ops.zeros((1, 1)), ops.zeros((1, 1)))
        return losses | {name: KNOWN.get(name, MetricKind("")) for name in scores}

    def training_step(self, images: Any, labels: Any = None) -> None:
        """One step of each player; the discriminator sees the fakes of the generator's step."""
        images = self.preprocess(images)
        fakes = self.generator_step(ops.shape(images)[0])
        self.discriminator_step(images, fakes)

    def generator_step(self, count: Any) -> Any:
        """One step of the generator on `count` draws; returns their images, detached."""
        z = self.sample_latent(count)

        def loss():
            fakes = self.generated(z, training=True)
            with frozen_statistics(self.discriminator):
                scores = self.scores(fakes, training=True)
            value = ops.mean(self.generator_loss(scores))
            return value, (value, fakes)

        value, fakes = self.minimize(loss, self.weights_moved[0], self.optimizer.generator)
        if self.ema_momentum is not None:
            steps = self.optimizer.generator.iterations
            update_average(self.ema_generator, self.generator, self.ema_momentum, steps)
        self.update_metrics(count, generator_loss=value)
        return ops.stop_gradient(fakes)

    def discriminator_step(self, images: Any, fakes: Any) -> None:
        """One step of the discriminator on real and fake images in [-1, 1]."""

        def loss():
            real = self.scores(images, training=True)
            fake = self.scores(fakes, training=True)
            metrics = self.discriminator_metrics(real, fake)
            return metrics[self.loss_name], metrics

        metrics = self.minimize(loss, self.weights_moved[1], self.optimizer.discriminator)
        self.update_metrics(ops.shape(images)[0], **metrics)

    def validation_step(self, images: Any, labels: Any = None) -> None:
        """Record both losses of a batch; z is the same at every call, so that figures repeat."""
        images = self.preprocess(images)
        count = ops.shape(images)[0]
        z = keras.random.normal((count, self.latent_dim), dtype="float32", seed=EVALUATION_SEED)
        fake = self.scores(self.generated(z, training=False), training=False)
        real = self.scores(images, training=False)
        metrics = self.discriminator_metrics(real, fake)
        self.update_metrics(count, generator_loss=ops.mean(self.generator_loss(fake)), **metrics)

    def preprocess(self, images: Any) -> Any:
        """A batch as a float32 tensor in [-1, 1]."""
        return super().preprocess(images) * 2.0 - 1.0

    def sample_latent(self, count: Any) -> Any:
        """`count` draws of z, `(count, latent_dim)`."""
        shape = (count, self.latent_dim)
        return keras.random.normal(shape, dtype="float32", seed=self.seed_generator)

    def generated(self, z: Any, training: bool) -> Any:
        """The generator's images in [-1, 1], float32."""
        return in_float32(self.generator(z, training=training))

    def scores(self, images: Any, training: bool) -> Any:
        """The discriminator's float32 scores `(N / pack, 1)`, rounded up, of images in [-1, 1]."""
        return in_float32(self.discriminator(packed(images, self.pack), training=training))

    def call(self, z: Any, training: bool = False) -> Any:
        """Draws `(N, latent_dim)` → images `(N, H, W, C)` in [0, 1]."""
        generator = self.ema_generator or self.generator
        return (in_float32(generator(z, training=training)) + 1.0) / 2.0

    def sample(self, n: int, seed: int | None = None, batch_size: int = 256) -> np.ndarray:
        """`n` generated images, `(n, H, W, C)` float32 in [0, 1]; the same for the same seed."""
        shape = (whole_number("n", n), self.latent_dim)
        z = np.random.default_rng(seed).standard_normal(shape, "float32")
        images = self.predict_batches(self.ema_generator or self.generator, z, batch_size)
        return (in_float32(images) + 1.0) / 2.0

    def compile(
        self, generator_optimizer: Any = None, discriminator_optimizer: Any = None, **kwargs: Any
    ) -> None:
        """Choose both optimizers, in any form Keras takes.

        The default is Adam with β₁ = 0.5 and decaying learning rates, from 1e-3 for the generator
        and 4e-4 for the discriminator (DCGAN paper: 2e-4). `kwargs` are `ImageModel.compile`'s.
        """
        if "optimizer" in kwargs:
            raise InputError(
                "Got optimizer=; a GAN has two players: give generator_optimizer and "
                f"{self.loss_name.replace('loss', 'optimizer')}, or none of them."
            )
        given = (generator_optimizer, discriminator_optimizer)
        chosen = [
            default if optimizer is None else keras.optimizers.get(optimizer)
            for optimizer, default in zip(given, self.default_optimizers(), strict=True)
        ]
        pair = GANOptimizer(*chosen, scale_loss=self.dtype_policy.name == "mixed_float16")
        kwargs.setdefault("cosine_decay", given == (None, None))
        super().compile(pair, auto_scale_loss=False, **kwargs)

    def default_optimizers(self) -> list[keras.optimizers.Optimizer]:
        """The generator's and the discriminator's Adam (Radford et al. 2016, section 4)."""
        return [keras.optimizers.Adam(rate, beta_1=0.5) for rate in (1e-3, 4e-4)]

    @property
    def optimizers(self) -> list[keras.optimizers.Optimizer]:
        return self.optimizer.players

    @property
    def weights_moved(self) -> list[list[keras.Variable]]:
        return [n.trainable_variables for n in (self.generator, self.discriminator)]

    def check_batch_size(self, batch_size: int, count: int) -> None:
        super().check_batch_size(batch_size, count)
        if batch_size < self.pack:
            raise InputError(
                f"Got batches of {batch_size} images for packs of {self.pack}, which would show "
                "the same images again; raise batch_size or lower pack."
            )

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "networks": self.networks,
            "width": self.width,
            "pack": self.pack,
            "ema_momentum": self.ema_momentum,
        }
