"""Convolutional encoders, decoders and players: what they see, count and compute."""

import re
from itertools import product

import keras
import numpy as np
import pytest
from keras import layers, ops
from tiny_models import conv_ae, conv_vae_map, images_of, lesson

from common import models, presets
from common.errors import InputError
from common.models import AE, DCGAN, VAE
from common.models.vae import kl_divergence
from common.networks.autoencoders import BUILDERS, WIDTHS
from common.networks.conv import conv_decoder, conv_encoder, down, margins, up
from common.networks.dcgan import halved_sizes
from common.networks.gans import gan_networks
from common.networks.strided import sub_pixels
from common.training.backend.fastest import fastest_execution


def as_numpy(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def layers_of(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


@pytest.mark.parametrize(
    ("shape", "blocks"),
    [
        ((28, 28, 1), 3),
        ((32, 32, 3), 1),
        ((30, 45, 3), 3),
        ((5, 7, 1), 1),
        ((5, 7, 1), 3),
        ((178, 218, 3), 3),
    ],
)
def test_images_of_any_shape_come_back_in_it(shape, blocks):
    rows, columns = (-(-side // 2**blocks) for side in shape[:2])
    widths = [2, 3, 4][:blocks]
    codes = (("vector", (5,)), ("map", (rows, columns, 5)))
    for (build_encoder, build_decoder), (code, expected) in product(BUILDERS.values(), codes):
        encoder = build_encoder(shape, [5, 5], widths, code)
        decoder = build_decoder(shape, 5, widths, code)
        assert [x.shape for x in encoder.outputs] == [(None, *expected)] * 2
        assert decoder.input.shape == (None, *expected)
        assert decoder.output.shape == (None, *shape)


def test_margins_are_as_even_as_can_be():
    assert margins((28, 28, 1), 2) == ((0, 0), (0, 0))
    assert margins((28, 28, 1), 3) == ((2, 2), (2, 2))
    assert margins((30, 45, 3), 3) == ((1, 1), (1, 2))
    assert margins((5, 7, 1), 1) == ((0, 1), (0, 1))


def block_of(block, filters, channels):
    images = keras.Input((4, 6, channels))
    return keras.Model(images, block(images, filters))


def leaky(x):
    return np.where(x > 0, x, 0.2 * x)


def test_a_down_block_takes_the_largest_of_each_four():
    block = block_of(down, 1, 1)
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 2] = 2.0  # twice the pixel to the right
    block.layers[1].kernel.assign(kernel)
    images = np.random.default_rng(0).normal(size=(2, 4, 6, 1)).astype("float32")
    shifted = 2 * np.pad(images, ((0, 0), (0, 0), (0, 1), (0, 0)))[:, :, 1:] / np.sqrt(1.001)
    expected = leaky(shifted).reshape(2, 2, 2, 3, 2, 1).max(axis=(2, 4))
    np.testing.assert_allclose(as_numpy(block(images)), expected, 1e-5)


def test_sub_pixels_are_ordered_as_in_the_paper():
    images = np.random.default_rng(0).normal(size=(2, 3, 4, 8)).astype("float32")
    result = as_numpy(sub_pixels(ops.convert_to_tensor(images)))
    for i, j in product(range(6), range(8)):
        expected = images[:, i // 2, j // 2].reshape(2, 2, 2, 2)[:, i % 2, j % 2]
        np.testing.assert_array_equal(result[:, i, j], expected)


def test_an_up_block_reaches_every_pixel_with_as_many_weights():
    block = block_of(up, 1, 1)
    block.layers[1].kernel.assign(np.ones((4, 4, 1, 1)))
    found = as_numpy(block(np.ones((1, 4, 6, 1), "float32")))
    assert found.shape == (1, 8, 12, 1)
    np.testing.assert_allclose(found[0, 1:-1, 1:-1], 4 / np.sqrt(1.001), 1e-5)


def reached(network, inputs, place):
    """Rows and columns of the outputs that change with one place of the inputs, first to last."""
    changed = False
    for value in (-50.0, 50.0):
        other = inputs.copy()
        other[(slice(None), *place)] = value
        changed |= as_numpy(network(other)) != as_numpy(network(inputs))
    rows, columns = changed.any(axis=(0, 3)).nonzero()
    return (rows.min(), rows.max()), (columns.min(), columns.max())


@pytest.mark.parametrize("place", [(0, 0), (9, 14), (17, 23)])
def test_a_map_sees_ten_pixels_around_each_four(place):
    """From 4i − 3 to 4i + 6: a 3×3 convolution, 2×2 pooling, and both again on every other."""
    encoder = conv_encoder((20, 24, 1), [6], [8, 8], "map")
    images = np.random.default_rng(0).uniform(size=(8, 20, 24, 1)).astype("float32")
    for found, pixel, last in zip(reached(encoder, images, place), place, (4, 5), strict=True):
        seen = [i for i in range(last + 1) if 4 * i - 3 <= pixel <= 4 * i + 6]
        assert found == (seen[0], seen[-1])


@pytest.mark.parametrize("place", [(0, 0), (2, 3), (4, 5)])
def test_a_place_of_a_map_paints_twenty_pixels(place):
    """From 4i − 8 to 4i + 11; of the 18 rows one was added above and below."""
    decoder = conv_decoder((18, 24, 1), 2, [4, 4], "map")
    codes = np.random.default_rng(0).normal(size=(4, 5, 6, 2)).astype("float32")
    (top, bottom), (left, right) = reached(decoder, codes, place)
    rows, columns = place
    assert (top, bottom) == (max(4 * rows - 9, 0), min(4 * rows + 10, 17))
    assert (left, right) == (max(4 * columns - 8, 0), min(4 * columns + 11, 23))


def parameters(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_parameters_are_those_of_the_formulas():
    shape, widths = (28, 28, 3), (8, 16, 32)
    blocks = sum(9 * a * b + 2 * b for a, b in ((3, 8), (8, 16), (16, 32)))
    encoder = conv_encoder(shape, [5, 5], widths, "vector")
    assert parameters(encoder) == blocks + 2 * (4 * 4 * 32 + 1) * 5
    assert parameters(conv_encoder(shape, [5], widths, "map")) == blocks + (32 + 1) * 5
    ups = sum(16 * a * b + 2 * b for a, b in ((32, 16), (16, 8), (8, 8))) + 9 * 8 * 3 + 3
    decoder = conv_decoder(shape, 5, widths, "vector")
    assert parameters(decoder) == 5 * 4 * 4 * 32 + 2 * 32 + ups
    assert parameters(conv_decoder(shape, 5, widths, "map")) == 9 * 5 * 32 + 2 * 32 + ups


def test_a_map_is_made_of_convolutions_alone():
    model = AE((28, 28, 1), 4, networks="conv_map")
    assert model.code_shape == (7, 7, 4)
    for network in (model.encoder, model.decoder):
        assert not layers_of(network, (layers.Dense, layers.Flatten, layers.Reshape))


def test_the_kl_of_a_map_is_summed_over_all_of_it():
    z_mean, z_log_var = np.random.default_rng(0).normal(size=(2, 4, 3, 5, 2)).astype("float32")
    expected = 0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var).sum(axis=(1, 2, 3))
    found = as_numpy(kl_divergence(*map(ops.convert_to_tensor, (z_mean, z_log_var))))
    assert found.shape == (4,)
    np.testing.assert_allclose(found, expected, 1e-5)


@pytest.fixture(scope="module")
def vae_of_maps():
    model = conv_vae_map()
    model.compile(keras.optimizers.Adam(1e-2))
    images, labels = lesson(model)
    model.fit(images, labels, batch_size=16, epochs=4, verbose=0)
    return model, (images[:6] / np.float32(255)), labels[:6]


def test_a_vae_of_maps_judges_as_its_verbs_say(vae_of_maps):
    model, images, labels = vae_of_maps
    z_mean, z_log_var = model.posterior(images)
    assert z_mean.shape == z_log_var.shape == (6, 2, 3, 2)
    np.testing.assert_array_equal(model.encode(images), z_mean)
    kl = 0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var).sum(axis=(1, 2, 3))
    found = model.evaluate(images, labels, batch_size=6, verbose=0)
    assert found["kl_loss"] == pytest.approx(kl.mean(), 1e-4) and kl.mean() > 1e-3

    codes = np.random.default_rng(1).normal(size=(3, 6, 2, 3, 2)).astype("float32")
    pixels = np.stack([model.decode(draw) for draw in codes]).astype("float64")
    log_p = images * np.log(pixels) + (1 - images) * np.log(1 - pixels)
    likelihood = model.log_likelihood(images, codes)
    assert likelihood.shape == (3, 6)
    np.testing.assert_allclose(likelihood, log_p.sum(axis=(2, 3, 4)), 1e-4)

    bound = model.negative_elbo(images, draws=64)
    assert bound.shape == (6,)
    assert bound.mean() == pytest.approx(found["reconstruction_loss"] + kl.mean(), 0.1)


def test_a_classifier_reads_the_whole_map(vae_of_maps):
    model, images, _ = vae_of_maps
    kernels = [v.shape for v in model.classifier.trainable_variables if v.ndim == 2]
    assert kernels == [(2 * 3 * 2, 3)]
    np.testing.assert_allclose(model.classify(images).sum(axis=1), np.ones(6), 1e-5)


def test_codes_of_the_wrong_shape():
    for model, shape, expected in (
        (conv_vae_map(), (4, 12), "(N, 2, 3, 2)"),
        (conv_vae_map(), (4, 3, 2, 2), "(N, 2, 3, 2)"),
        (conv_ae(), (4, 3, 1), "(N, 3)"),
    ):
        with pytest.raises(InputError, match=re.escape(f"shape {shape}; expected {expected}")):
            model.decode(np.zeros(shape))


def test_widths_where_none_are_given():
    for name, widths in WIDTHS.items():
        assert AE((8, 8, 1), networks=name).widths == [*widths]
    assert AE((8, 8, 1), widths=()).widths == []


@pytest.mark.parametrize("kind", [AE, VAE])
def test_networks_that_cannot_be(kind):
    with pytest.raises(InputError, match=r"'resnet' are unknown; choose from .*'conv_map'"):
        kind((28, 28, 1), networks="resnet")
    with pytest.raises(InputError, match="one convolutional block or more"):
        kind((28, 28, 1), networks="conv", widths=())


def test_convolutional_models_run_as_is_fastest_for_them():
    for networks in WIDTHS:
        model = VAE((8, 8, 1), networks=networks, widths=(4,))
        model.compile()
        assert model.convolutional is (networks != "dense")
        expected = fastest_execution("cpu", model.convolutional)["steps_per_execution"]
        assert model.steps_per_execution == expected


@pytest.mark.parametrize(
    ("networks", "code_shape"),
    [
        ("dense", (2,)),
        ("conv", (16,)),
        ("conv_map", (4, 4, 8)),
        ("strided", (16,)),
        ("strided_map", (4, 4, 8)),
    ],
)
@pytest.mark.parametrize("kind", [AE, VAE])
def test_the_codes_of_no_given_size(kind, networks, code_shape):
    assert kind((16, 16, 1), networks=networks).code_shape == code_shape


def output_shapes(network, kind):
    return [tuple(x.output.shape[1:]) for x in layers_of(network, kind)]


@pytest.mark.parametrize(
    ("shape", "smallest", "count"),
    [
        ((32, 32, 3), (4, 4), 3),
        ((64, 64, 3), (4, 4), 4),
        ((28, 28, 1), (4, 4), 3),
        ((48, 64, 3), (6, 8), 3),
        ((12, 28, 1), (6, 14), 1),
        ((8, 8, 1), (4, 4), 1),
    ],
)
def test_sides_halve_down_to_four(shape, smallest, count):
    sizes = halved_sizes(shape)
    assert sizes[0] == shape[:2] and sizes[-1] == smallest and len(sizes) == count + 1


def test_sides_that_are_odd_on_the_way_are_cut_again():
    generator, discriminator = gan_networks("paper", (28, 28, 1), 100, 1 / 8)
    assert output_shapes(generator, layers.Conv2DTranspose) == [
        (8, 8, 16),
        (14, 14, 8),
        (28, 28, 1),
    ]
    assert output_shapes(generator, layers.Cropping2D) == [(7, 7, 16)]
    assert generator.output.shape[1:] == (28, 28, 1)
    assert output_shapes(discriminator, layers.Conv2D) == [(14, 14, 8), (7, 7, 16), (4, 4, 32)]


@pytest.mark.parametrize("networks", ["paper", "paper_critic"])
def test_the_papers_networks(networks):
    generator, discriminator = gan_networks(networks, (64, 64, 3), 100, 1 / 8)
    assert output_shapes(generator, layers.Reshape) == [(4, 4, 64)]
    transposed = [(8, 8, 32), (16, 16, 16), (32, 32, 8), (64, 64, 3)]
    assert output_shapes(generator, layers.Conv2DTranspose) == transposed
    convolutions = [x for x in discriminator.layers if type(x) is layers.Conv2D]
    assert [tuple(x.output.shape[1:]) for x in convolutions] == [
        (32, 32, 8),
        (16, 16, 16),
        (8, 8, 32),
        (4, 4, 64),
    ]
    every = [*layers_of(generator, layers.Conv2DTranspose), *convolutions]
    assert {(x.kernel_size, x.strides) for x in every} == {((4, 4), (2, 2))}
    assert len(layers_of(generator, layers.BatchNormalization)) == 4
    norms = layers_of(discriminator, layers.BatchNormalization)
    assert len(norms) == (3 if networks == "paper" else 0)
    if norms:
        first = discriminator.layers.index(norms[0])
        assert discriminator.layers.index(convolutions[1]) < first
    # What BatchNorm centres has no bias of its own.
    assert [x.use_bias for x in convolutions] == [True] + [not norms] * 3
    leaks = layers_of(discriminator, layers.LeakyReLU)
    assert [leak.negative_slope for leak in leaks] == pytest.approx([0.2] * 4)


def test_smaller_photographs_take_fewer_halvings():
    generator, discriminator = gan_networks("paper", (32, 32, 3), 100, 1 / 8)
    assert output_shapes(generator, layers.Reshape) == [(4, 4, 32)]
    assert output_shapes(discriminator, layers.Conv2D)[-1] == (4, 4, 32)
    wide, _ = gan_networks("paper", (128, 128, 3), 4, 1 / 64)
    assert output_shapes(wide, layers.Reshape) == [(4, 4, 8)]


def test_the_seeds_cifar10_networks():
    generator, discriminator = gan_networks("cifar10_pooled", (32, 32, 3), 100, 1.0)
    blocks = [(8, 8, 32), (16, 16, 32), (32, 32, 32)]
    assert output_shapes(generator, layers.Conv2DTranspose) == blocks
    assert output_shapes(discriminator, layers.MaxPooling2D) == [
        (16, 16, 32),
        (8, 8, 32),
        (4, 4, 32),
    ]
    convolutions = layers_of(discriminator, layers.Conv2D)
    assert [(x.filters, x.strides) for x in convolutions] == [(32, (1, 1))] * 3
    for network, count in ((generator, 4), (discriminator, 3)):
        assert len(layers_of(network, layers.BatchNormalization)) == count
        assert len(layers_of(network, layers.LeakyReLU)) == count


@pytest.mark.slow
def test_the_seeds_players_learn():
    model = DCGAN((16, 16, 3), 4, networks="cifar10_pooled", width=1 / 8, seed=0)
    model.compile()
    history = model.fit(images_of((16, 16, 3), 16)[0], batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert model.sample(2, seed=0).shape == (2, 16, 16, 3)


CODED = [f"conv_{kind}_{data}" for kind in ("ae", "vae") for data in ("mnist", "celeba")]
PLAYED = ["dcgan_cifar10", "dcgan_cifar10_seed", "dcgan_celeba", "lsgan_celeba", "wgan_celeba"]
PLAYED += [f"dcgan_{data}_paper" for data in ("cifar10", "celeba", "cars")]


@pytest.mark.parametrize("name", [*CODED, *(f"{name}_map" for name in CODED), *PLAYED])
def test_recipes_build(name):
    preset = presets.get(name)
    size = {"width": 1 / 32}
    if name.startswith("conv"):
        size = {"widths": [2] * len(preset["arguments"]["widths"])}
    model = getattr(models, preset["model"]).from_preset(name, **size)
    assert model.convolutional and model.compiled
    if name.endswith("_map"):
        assert model.code_shape == (*(side // 4 for side in model.image_shape[:2]), 8)


@pytest.mark.parametrize("data", ["mnist", "cifar10", "celeba", "cars", "folder"])
def test_every_photograph_has_its_recipes(data):
    expected = {f"conv_{kind}_{data}{code}" for kind in ("ae", "vae") for code in ("", "_map")}
    expected |= {f"{kind}_{data}" for kind in ("dcgan", "lsgan", "wgan")}
    assert expected <= set(presets.names())
    sides = {presets.get(name)["arguments"]["image_shape"][:2] for name in expected}
    assert len(sides) == 1
