"""The autoencoder (Hinton & Salakhutdinov 2006), with an optional classifier on its code."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.images import unit_range
from common.metrics import KNOWN, MetricKind
from common.models.base import ImageModel
from common.models.classification import classification
from common.models.likelihoods import likelihood_of
from common.networks.autoencoders import LATENT_DIMS, autoencoder_networks, checked_widths
from common.networks.dense import dense_network
from common.networks.own import own_autoencoder
from common.training.inputs import as_array, non_negative
from common.training.precision import in_float32


@keras.saving.register_keras_serializable("zoo")
class AE(ImageModel):
    """Encode an image as a few numbers, or as a small image of many channels, and decode it again.

    The loss is `reconstruction_loss + classifier_weight · classifier_loss`, summed over pixels and
    averaged over images.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: numbers in the code, or channels of a map; the code is linear. By default 2 for
            "dense", 16 for other vectors and 8 for maps.
        num_classes: add a softmax classifier on the code, trained jointly; None for none.
        classifier_weight: weight of the classifier's cross-entropy (nats per image) in the loss.
        classifier_widths: units of the classifier's hidden layers, none by default.
        likelihood: of the pixels: "squared_error" (784 · MSE on MNIST), "bernoulli" (nats),
            "gaussian" (nats, standard deviation 0.1), "optimal_gaussian" (nats, one variance for
            all pixels, which follows the error); or your own registered function of images
            `(N, H, W, C)` in [0, 1] and logits of that shape, to losses `(N,)`.
        input_noise: standard deviation of Gaussian noise added to the encoder's input in training;
            the target stays clean (Vincent et al. 2008).
        mirror: flip each training image left to right with probability ½, for photographs.
        networks: "dense" (the default); "strided", strided convolutions with a vector as the code;
            "conv", Down and Up blocks; or "strided_map" and "conv_map", fully convolutional with
            a map of `latent_dim` channels as the code.
        widths: units of the encoder's hidden layers, or channels of its blocks, each of which
            halves the image; the decoder has them in reverse.
        encoder: your own, instead of `latent_dim`, `networks` and `widths`: any Keras model from
            images `(N, H, W, C)` in [0, 1] to codes `(N, latent_dim)` or `(N, h, w, C)`.
        decoder: your own, from codes to logits `(N, H, W, C)`.
        seed: seed of the weights, the noise and the order of the images.

    Attributes:
        code_shape: `(latent_dim,)`, or `(h, w, latent_dim)` for a map.

    Raises:
        InputError: an argument that cannot be used.
    """

    encoder: Any
    decoder: Any
    encoder_outputs = 1
    has_prior = False

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int | None = None,
        *,
        num_classes: int | None = None,
        classifier_weight: float = 80.0,
        classifier_widths: Sequence[int] = (),
        likelihood: str | Callable[[Any, Any], Any] = "squared_error",
        input_noise: float = 0.0,
        mirror: bool = False,
        networks: str | None = None,
        widths: Sequence[int] | None = None,
        encoder: keras.Model | None = None,
        decoder: keras.Model | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(image_shape, num_classes, seed, **kwargs)
        self.classifier_weight = non_negative("classifier_weight", classifier_weight)
        self.classifier_widths = list(classifier_widths)
        self.likelihood, self.pixels = likelihood, likelihood_of(likelihood)
        self.input_noise = non_negative("input_noise", input_noise)
        self.mirror = bool(mirror)
        self.classifier = None
        with self.new_layers():
            if encoder is None and decoder is None:
                self.networks = kind = networks or "dense"
                self.widths = checked_widths(kind, widths)
                latent_dim = LATENT_DIMS[kind] if latent_dim is None else latent_dim
                self.latent_dim = whole_number("latent_dim", latent_dim)
                self.encoder, self.decoder = autoencoder_networks(
                    kind, self.image_shape, self.latent_dim, self.encoder_outputs, self.widths
                )
                self.code_shape = tuple(self.encoder.outputs[0].shape[1:])
            else:
                self.own_networks = ("encoder", "decoder")
                replaced = {"latent_dim": latent_dim, "networks": networks, "widths": widths}
                self.code_shape = own_autoencoder(
                    encoder, decoder, replaced, self.image_shape, self.encoder_outputs
                )
                self.latent_dim, self.networks, self.widths = self.code_shape[-1], None, None
                self.encoder, self.decoder = encoder, decoder
            if self.num_classes:
                self.classifier = dense_network(
                    self.code_shape, [self.num_classes], self.classifier_widths, "classifier"
                )
        self.built = True

    @property
    def metric_kinds(self) -> dict[str, MetricKind]:
        names = ["loss", "reconstruction_loss"]
        if self.num_classes:
            names += ["classifier_loss", "classifier_accuracy"]
        losses = dict.fromkeys(("loss", "reconstruction_loss"), MetricKind(self.pixels.kind))
        return {name: KNOWN[name] for name in names} | losses

    def call(self, images: Any, training: bool = False) -> Any:
        """Images `(N, H, W, C)` → their reconstructions, float32 in [0, 1]."""
        code = self.encoded(unit_range(images), training)
        return ops.sigmoid(self.decoded(code, training))

    def encoded(self, images: Any, training: bool) -> Any:
        """The encoder's outputs for images in [0, 1], float32."""
        return in_float32(self.encoder(images, training=training))

    def decoded(self, codes: Any, training: bool) -> Any:
        """The decoder's logits for codes, float32."""
        return in_float32(self.decoder(codes, training=training))

    def compute_losses(self, images: Any, labels: Any, training: bool) -> dict:
        images = self.mirrored(images, training)
        code = self.encoded(self.add_noise(images, training), training)
        logits = self.decoded(code, training)
        reconstruction_loss = self.reconstruction_loss(images, logits, training)
        classifier_loss, metrics = self.classifier_loss(code, labels, training)
        return {
            "loss": reconstruction_loss + classifier_loss,
            "reconstruction_loss": reconstruction_loss,
            **metrics,
        }

    def reconstruction_loss(self, images: Any, logits: Any, training: bool) -> Any:
        """The mean loss of a batch's pixels, given the decoder's logits."""
        loss = self.pixels.training_loss if training else self.pixels.loss
        return ops.mean(loss(images, logits))

    def mirrored(self, images: Any, training: bool) -> Any:
        """A batch; in training with `mirror`, about half of it flipped left to right."""
        if not (training and self.mirror):
            return images
        shape = (ops.shape(images)[0], 1, 1, 1)
        flips = keras.random.uniform(shape, dtype="float32", seed=self.seed_generator) < 0.5
        return ops.where(flips, ops.flip(images, 2), images)

    def add_noise(self, images: Any, training: bool) -> Any:
        """What the encoder sees of a batch: in training, images with `input_noise`."""
        if not (training and self.input_noise):
            return images
        noise = keras.random.normal(ops.shape(images), dtype="float32", seed=self.seed_generator)
        return images + self.input_noise * noise

    def classifier_loss(self, code: Any, labels: Any, training: bool) -> tuple[Any, dict]:
        """The classifier's weighted share of the loss (0 without one), and its metrics."""
        if self.classifier is None:
            return 0.0, {}
        logits = self.classifier(code, training=training)
        loss, accuracy = classification(labels, logits)
        metrics = {"classifier_loss": loss, "classifier_accuracy": accuracy}
        return self.classifier_weight * loss, metrics

    def encode(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → codes `(N, *code_shape)` float32."""
        return in_float32(self.predict_images(self.encoder, images, batch_size))

    def decode(self, codes: Any, batch_size: int = 512) -> np.ndarray:
        """Codes `(N, *code_shape)` → images `(N, H, W, C)` float32 in [0, 1].

        Raises:
            InputError: codes of another shape.
        """
        codes = as_array(codes)
        if codes.shape[1:] != self.code_shape or not len(codes):
            expected = ", ".join(map(str, self.code_shape))
            raise InputError(f"Got codes of shape {codes.shape}; expected (N, {expected}).")
        codes = np.asarray(codes, "float32")
        logits = in_float32(self.predict_batches(self.decoder, codes, batch_size))
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def reconstruct(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → `decode(encode(images))`."""
        return self.decode(self.encode(images, batch_size), batch_size)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """`n` images decoded from codes drawn from N(0, I), `(n, H, W, C)` float32 in [0, 1].

        An autoencoder learns no prior, so its samples seldom look like images; a VAE's do.
        """
        shape = (whole_number("n", n), *self.code_shape)
        codes = np.random.default_rng(seed).standard_normal(shape, "float32")
        return self.decode(codes)

    def classify(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → class probabilities `(N, num_classes)` float32.

        Raises:
            InputError: the model has no classifier.
        """
        if self.classifier is None:
            raise InputError("This model has no classifier; build it with num_classes=...")
        codes = self.encode(images, batch_size)
        logits = self.predict_batches(self.classifier, codes, batch_size)
        return ops.convert_to_numpy(ops.softmax(logits))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "latent_dim": None if self.own_networks else self.latent_dim,
            "classifier_weight": self.classifier_weight,
            "classifier_widths": list(self.classifier_widths),
            "likelihood": keras.saving.serialize_keras_object(self.likelihood),
            "input_noise": self.input_noise,
            "mirror": self.mirror,
            "networks": self.networks,
            "widths": None if self.widths is None else list(self.widths),
        }
