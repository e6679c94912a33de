"""The autoencoder (Hinton & Salakhutdinov 2006), with an optional classifier on its code."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from common.errors import InputError, whole_number
from common.models.coders import LATENT_DIMS, checked_widths, coders
from common.models.inputs import non_negative, unit_range
from common.models.likelihoods import LIKELIHOODS
from common.models.networks import dense_classifier
from common.models.one_loss import OneLossModel, classification
from common.training.precision import precision


@keras.saving.register_keras_serializable("zoo")
class AE(OneLossModel):
    """Encode an image as a few numbers, or as a small image of many channels, and decode it again.

    The loss per image is `reconstruction_loss + classifier_weight · classifier_loss`: pixels are
    summed, the batch is averaged.

    Args:
        image_shape: `(height, width, channels)`.
        latent_dim: numbers in the code, in that of "conv_map" at each place; the code is linear.
            None for 2 of "dense", 16 of "conv" and 8 of "conv_map".
        num_classes: add a softmax classifier on the code, trained jointly.
        classifier_weight: of the classifier's cross-entropy (nats per image) in the loss.
        classifier_widths: units of the classifier's hidden layers, none by default.
        likelihood: of the pixels: "squared_error" (784 · MSE on MNIST), "bernoulli" (nats),
            "gaussian" (nats, standard deviation 0.1).
        input_noise: standard deviation of Gaussian noise on what is encoded in training; the clean
            image is to be reconstructed (Vincent et al. 2008).
        networks: "dense"; "conv", convolutional with a vector as the code; or "conv_map", fully
            convolutional, whose code is a map of `latent_dim` channels.
        widths: units of the encoder's hidden layers, or channels of its Down blocks, each of which
            halves the image; the decoder has them in reverse. None for those in `coders.WIDTHS`.
        seed: of the noise and of the images' order.

    Attributes:
        code_shape: `(latent_dim,)`, or `(h, w, latent_dim)` with "conv_map".

    Raises:
        InputError: an argument that cannot be used.
    """

    code_parts = 1

    def __init__(
        self,
        image_shape: Sequence[int],
        latent_dim: int | None = None,
        *,
        num_classes: int | None = None,
        classifier_weight: float = 80.0,
        classifier_widths: Sequence[int] = (),
        likelihood: str = "squared_error",
        input_noise: float = 0.0,
        networks: str = "dense",
        widths: Sequence[int] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ):
        if likelihood not in LIKELIHOODS:
            raise InputError(f"Likelihood {likelihood!r} is unknown; choose from {[*LIKELIHOODS]}.")
        super().__init__(image_shape, num_classes, seed, **kwargs)
        self.classifier_weight = non_negative("classifier_weight", classifier_weight)
        self.classifier_widths = list(classifier_widths)
        self.likelihood = likelihood
        self.input_noise = non_negative("input_noise", input_noise)
        self.networks = networks
        self.widths = checked_widths(networks, widths)
        if latent_dim is None:
            latent_dim = LATENT_DIMS[networks]
        self.latent_dim = whole_number("latent_dim", latent_dim)
        with precision(self.dtype_policy):
            self.encoder, self.decoder = coders(
                networks, self.image_shape, self.latent_dim, self.code_parts, self.widths
            )
            self.code_shape = tuple(self.encoder.outputs[0].shape[1:])
            self.classifier = None
            if self.num_classes:
                self.classifier = dense_classifier(
                    self.code_shape, self.num_classes, self.classifier_widths
                )
        self.built = True

    @property
    def convolutional(self) -> bool:
        """Whether the networks have convolutions."""
        return self.networks != "dense"

    @property
    def metric_names(self) -> list[str]:
        """`loss` and the terms it is made of."""
        names = ["loss", "reconstruction_loss"]
        if self.num_classes:
            names += ["classifier_loss", "classifier_accuracy"]
        return names

    def call(self, images: Any, training: bool = False) -> Any:
        """The reconstruction of images, float in [0, 1]."""
        code, _ = self.infer(unit_range(images), training)
        return ops.sigmoid(self.decoder(code, training=training))

    def infer(self, images: Any, training: bool) -> tuple[Any, dict]:
        """The code that is decoded, and the loss terms that come with it (none here)."""
        return self.encoder(images, training=training), {}

    def total(self, terms: dict) -> Any:
        """The loss of its terms, each a mean over the batch."""
        loss = terms["reconstruction_loss"]
        if self.num_classes:
            loss = loss + self.classifier_weight * terms["classifier_loss"]
        return loss

    def terms(self, images: Any, labels: Any, training: bool) -> dict:
        """Every metric of one batch."""
        noisy = images
        if training and self.input_noise:
            noise = keras.random.normal(ops.shape(images), seed=self.seed_generator)
            noisy = images + self.input_noise * noise
        code, terms = self.infer(noisy, training)
        logits = self.decoder(code, training=training)
        reconstruction = LIKELIHOODS[self.likelihood](images, logits)
        terms = {"reconstruction_loss": ops.mean(reconstruction), **terms}
        if self.num_classes:
            class_logits = self.classifier(code, training=training)
            loss, accuracy = classification(labels, class_logits)
            terms |= {"classifier_loss": loss, "classifier_accuracy": accuracy}
        return {"loss": self.total(terms), **terms}

    def encode(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → codes `(N, *code_shape)` float32; a VAE's means."""
        codes = self.run_on_images(self.encoder, images, batch_size)
        return codes[0] if self.code_parts > 1 else codes

    def decode(self, codes: Any, batch_size: int = 512) -> np.ndarray:
        """Codes `(N, *code_shape)` → images `(N, H, W, C)` float32 in [0, 1].

        Raises:
            InputError: codes of another shape.
        """
        codes = np.asarray(codes, "float32")
        if codes.shape[1:] != self.code_shape or not len(codes):
            expected = ", ".join(map(str, self.code_shape))
            raise InputError(f"Got codes of shape {codes.shape}; expected (N, {expected}).")
        logits = self.run(self.decoder, codes, batch_size)
        return ops.convert_to_numpy(ops.sigmoid(logits))

    def reconstruct(self, images: Any, batch_size: int = 512) -> np.ndarray:
        """Images `(N, H, W, C)` → `decode(encode(images))`."""
        return self.decode(self.encode(images, batch_size), batch_size)

    def sample(self, n: int, seed: int | None = None) -> np.ndarray:
        """`n` images decoded from codes drawn from N(0, I), `(n, H, W, C)` float32 in [0, 1].

        An autoencoder learns no prior, so what it draws this way is seldom an image; a VAE's is.
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
        logits = self.run(self.classifier, self.encode(images, batch_size), batch_size)
        return ops.convert_to_numpy(ops.softmax(logits))

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "latent_dim": self.latent_dim,
            "classifier_weight": self.classifier_weight,
            "classifier_widths": list(self.classifier_widths),
            "likelihood": self.likelihood,
            "input_noise": self.input_noise,
            "networks": self.networks,
            "widths": list(self.widths),
        }
