"""The models: `AE`, `VAE`, the GANs `DCGAN`, `LSGAN`, `WGAN`, and `ImageClassifier`."""

from common.models.autoencoder import AE
from common.models.classifier import ImageClassifier
from common.models.dcgan import DCGAN
from common.models.lsgan import LSGAN
from common.models.vae import VAE
from common.models.wgan import WGAN

__all__ = ["AE", "DCGAN", "LSGAN", "VAE", "WGAN", "ImageClassifier"]
