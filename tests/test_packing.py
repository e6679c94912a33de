"""PacGAN's packs: what the discriminator sees of several images at once, and who else sees it."""

import numpy as np
import pytest
from keras import ops
from tiny_models import side_by_side

from common.models import DCGAN, LSGAN, WGAN
from common.models.gan_steps import packed
from common.networks.gans import NETWORKS, gan_networks

SHAPE = (12, 16, 1)


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor))


@pytest.mark.parametrize(
    ("count", "pack"), [(6, 2), (6, 3), (7, 2), (8, 3), (2, 5), (1, 2)], ids=str
)
@pytest.mark.parametrize("channels", [1, 3])
def test_packs_are_rows_of_images_as_channels(count, pack, channels):
    images = np.random.default_rng(0).normal(size=(count, 4, 5, channels)).astype("float32")
    found = as_numpy(packed(ops.convert_to_tensor(images), pack))
    assert found.shape == (-(-count // pack), 4, 5, pack * channels)
    np.testing.assert_array_equal(found, side_by_side(images, pack))


@pytest.mark.parametrize("networks", NETWORKS)
def test_only_the_discriminator_sees_packs(networks):
    generator, discriminator = gan_networks(networks, (8, 8, 3), 5, 1 / 32, pack=2)
    single, _ = gan_networks(networks, (8, 8, 3), 5, 1 / 32)
    assert generator.output.shape == (None, 8, 8, 3)
    assert discriminator.input.shape == (None, 8, 8, 6)
    assert discriminator.output.shape == (None, 1)
    assert [v.shape for v in generator.variables] == [v.shape for v in single.variables]


@pytest.mark.parametrize("kind", [DCGAN, LSGAN, WGAN])
def test_packs_are_part_of_the_config_and_single_images_of_the_verbs(kind):
    model = kind(SHAPE, 3, width=1 / 32, pack=2, seed=0)
    twin = kind.from_config(model.get_config())
    assert twin.pack == 2 and twin.discriminator.input.shape == (None, 12, 16, 2)
    assert model.sample(3, seed=0).shape == (3, *SHAPE)
    assert kind(SHAPE, 3, width=1 / 32).get_config()["pack"] == 1
