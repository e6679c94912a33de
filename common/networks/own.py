"""Networks that users bring to a model: checks of what they take and give, and copies of them."""

from typing import Any

import keras

from common.errors import InputError
from common.lazy_tensorflow import without_tensorflow
from common.networks.dense import ImageShape

# Layers that leave values as they are, so that the layer before decides the range.
RESHAPING = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.Cropping2D)
UNIT = ("sigmoid", "hard_sigmoid", "softmax")
# The default of a GAN.
LATENT_DIM = 100


def own_autoencoder(
    encoder: Any, decoder: Any, replaced: dict, image_shape: ImageShape, outputs: int
) -> tuple[int, ...]:
    """The shape of a code of an encoder, images → `outputs` codes, and a decoder, code → logits.

    Raises:
        InputError: one network is missing or does something else, or one of the arguments that
            they replace is not None.
    """
    _check_given({"encoder": encoder, "decoder": decoder}, replaced)
    found = _output_shapes("encoder", encoder, image_shape)
    code_shape = found[0]
    if found != [code_shape] * outputs or None in code_shape or len(code_shape) not in (1, 3):
        expected = "one code" if outputs == 1 else "z_mean and z_log_var"
        raise InputError(
            f"The encoder gives {_shown(*found)}; expected {expected}, (N, latent_dim) or a map "
            "(N, h, w, latent_dim)."
        )
    _check_output("decoder", decoder, code_shape, image_shape, "logits", (*UNIT, "tanh"))
    return code_shape


def own_gan(
    generator: Any,
    discriminator: Any,
    replaced: dict,
    image_shape: ImageShape,
    latent_dim: int,
    pack: int,
) -> int:
    """The dimension of z of a generator and a discriminator as in `GAN`.

    A `latent_dim` of `LATENT_DIM`, the default, gives way to the generator's own.

    Raises:
        InputError: one network is missing or does something else, or one of the `replaced`
            arguments is not None.
    """
    _check_given({"generator": generator, "discriminator": discriminator}, replaced)
    taken = _input_shape(generator) or (latent_dim,)
    if len(taken) != 1 or latent_dim not in (*taken, LATENT_DIM):
        wanted = _shown((latent_dim,))
        raise InputError(f"The generator takes {_shown(taken)}; expected z, {wanted}.")
    _check_output("generator", generator, taken, image_shape, "images in [-1, 1]", UNIT)
    rows, columns, channels = image_shape
    images = (rows, columns, pack * channels)
    scores = "one unbounded score an image"
    _check_output("discriminator", discriminator, images, (1,), scores, (*UNIT, "tanh"))
    return taken[0]


@without_tensorflow()
def copy_of(network: keras.Model) -> keras.Model:
    """A network of the same layers and weights, by the way that a file takes."""
    config = keras.saving.serialize_keras_object(network)
    copy = keras.saving.deserialize_keras_object(config)
    copy.set_weights(network.get_weights())
    return copy


def _check_given(networks: dict[str, Any], replaced: dict[str, Any]) -> None:
    names = " and ".join(networks)
    for name, network in networks.items():
        if not isinstance(network, keras.Model):
            raise InputError(f"Got {name}={network!r}; give Keras models as {names}, or neither.")
    for name, value in replaced.items():
        if value is not None:
            raise InputError(f"Got {name}={value!r} beside your own {names}: leave it out.")


def _check_output(
    name: str, network: keras.Model, taken: tuple, given: tuple, what: str, refused: tuple
) -> None:
    """Refuse a network unless it maps `(N, *taken)` to `what`, `(N, *given)`, unactivated."""
    found = _output_shapes(name, network, taken)
    if found != [given]:
        raise InputError(f"The {name} gives {_shown(*found)}; expected {what}, {_shown(given)}.")
    if (activation := _last_activation(network)) in refused:
        raise InputError(
            f"The {name} ends in {activation}; expected {what}: change its last layer."
        )


def _output_shapes(name: str, network: keras.Model, taken: tuple[int, ...]) -> list[tuple]:
    """The shapes of the outputs, without N, for inputs `(N, *taken)`."""
    known = _input_shape(network)
    # Keras would take several channels for one.
    if known and None not in known and known != taken:
        raise InputError(f"The {name} takes {_shown(known)}; expected {_shown(taken)}.")
    try:
        outputs = network(keras.KerasTensor((None, *taken), "float32"))
    except Exception as error:
        problem = str(error).strip().split("\n")[0]
        raise InputError(f"The {name} does not take {_shown(taken)}: {problem}") from error
    try:
        copy_of(network)
    except Exception as error:
        problem = str(error).strip().split("\n")[0]
        raise InputError(
            f"The {name} could not be loaded from a file ({problem}); register its classes "
            "with @keras.saving.register_keras_serializable() and give them get_config()."
        ) from error
    return [tuple(output.shape[1:]) for output in keras.tree.flatten(outputs)]


def _input_shape(network: keras.Model) -> tuple | None:
    """The shape of a network's input, without N; None for a subclassed network."""
    try:
        return tuple(network.inputs[0].shape[1:])
    except (AttributeError, ValueError):
        return None


def _last_activation(network: keras.Model) -> str:
    layers = [layer for layer in network.layers if not isinstance(layer, RESHAPING)]
    if layers and isinstance(layers[-1], keras.Model):
        return _last_activation(layers[-1])
    activation = getattr(layers[-1], "activation", None) if layers else None
    return getattr(activation, "__name__", "")


def _shown(*shapes: tuple) -> str:
    """`(N, 2) and (N, 2)`."""
    return " and ".join(f"(N, {', '.join(map(str, shape))})" for shape in shapes)
