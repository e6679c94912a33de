"""Bad input is refused with a sentence that helps, before a single step is taken."""

import os
import re
import signal
import zipfile

import keras
import numpy as np
import pandas as pd
import pytest
from tiny_models import ae, images_of, values_of

from common.errors import InputError
from common.images import UnitRange, unit_range
from common.models import AE, DCGAN, VAE, WGAN
from common.training.guards import StopSignals
from common.training.inputs import check_images, shape_hint
from common.training.precision import precision
from common.training.sources import first_batch

pytestmark = pytest.mark.usefixtures("without_xla")

IMAGES, LABELS = images_of((8, 8, 1), 12)
FLOATS = (IMAGES / 255).astype("float32")


def spoiled(value):
    """Float images with one pixel replaced, beyond what a first look would find."""
    images = np.tile(FLOATS, (400, 1, 1, 1))
    images[-1, 3, 3, 0] = value
    return images


@pytest.fixture(scope="module")
def classifier(without_xla):
    model = VAE((8, 8, 1), num_classes=3, widths=(8,), seed=0)
    model.compile()
    return model


@pytest.fixture(scope="module")
def gan(without_xla):
    model = DCGAN((8, 8, 1), 3, width=1 / 32, seed=0)
    model.compile()
    return model


BAD_IMAGES = {
    "no channel axis": (IMAGES[..., 0], "add the channel axis with images[..., None]"),
    "flat": (IMAGES.reshape(12, 64), "with np.reshape(images, (-1, 8, 8, 1))"),
    "a table": (pd.DataFrame(IMAGES.reshape(12, 64)), "with np.reshape(images, (-1, 8, 8, 1))"),
    "masked": (np.ma.masked_less(FLOATS, 0.5), "fill what is masked first"),
    "one image": (IMAGES[0], "add a single image's batch axis with images[None]"),
    "one grey image": (IMAGES[0, ..., 0], "with images[None, ..., None]"),
    "channels first": (IMAGES.transpose(0, 3, 1, 2), "images.transpose(0, 2, 3, 1)"),
    "names of files": (["a.png", "b.png"], "read the images first"),
    "colour": (np.repeat(IMAGES, 3, -1), "Got images of shape (12, 8, 8, 3)"),
    "another size": (np.zeros((4, 28, 28, 1), "uint8"), "resize the images"),
    "a number": (np.float32(3), "Got images of shape ()"),
    "whole numbers": (IMAGES.astype("int64"), "dtype int64; expected uint8 (0 to 255) or float"),
    "text": (np.full((2, 8, 8, 1), "a"), "expected uint8 (0 to 255) or float (0 to 1)"),
    "floats to 255": (IMAGES.astype("float32"), "Divide 0 to 255 by 255, or pass them as uint8"),
    "tanh range": (2 * FLOATS - 1, "; expected 0 to 1. Scale -1 to 1 by (images + 1) / 2"),
    "an overshoot": (spoiled(1.00001), "and 1.00001; expected 0 to 1."),
    "a late NaN": (spoiled(np.nan), "NaN or infinite pixels"),
    "a late infinity": (spoiled(np.inf), "NaN or infinite pixels"),
    "a late negative": (spoiled(-0.5), "Got float images between -0.5"),
    "none": (IMAGES[:0], "empty array of images"),
}

BAD_LABELS = {
    "missing": (None, "got no labels; pass them as y, or build the model without num_classes"),
    "too few": (LABELS[:5], "Got labels of shape (5,) for 12 images; expected (12,)"),
    "one-hot": (
        np.eye(3)[LABELS],
        "Got labels of shape (12, 3) for 12 images; expected (12,); one-hot",
    ),
    "missing ones": (np.where(LABELS, LABELS, np.nan), "dtype float64; expected integers"),
    "names": (np.array([*"abc"])[LABELS], "are numbered by np.unique"),
    "a scalar": (3, "Got labels of shape () for 12 images"),
    "masked": (np.ma.masked_equal(LABELS, 1), "fill what is masked first"),
    "floats": (LABELS + np.float32(0.5), "dtype float32; expected integers"),
    "too high": (LABELS + 1, "Got labels from 1 to 3; expected 0 to 2 (num_classes=3)"),
    "negative": (LABELS.astype("int64") - 1, "Got labels from -1 to 1"),
}


def refused(model, message, call):
    """`call()` raises an `InputError` with this message and takes no step."""
    weights = values_of(model.weights)
    with pytest.raises(InputError, match=re.escape(message)):
        call()
    assert [int(optimizer.iterations) for optimizer in model.optimizers] == [0] * len(
        model.optimizers
    )
    for before, after in zip(weights, values_of(model.weights), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_bad_images(classifier, gan, case):
    images, message = BAD_IMAGES[case]
    labels = np.zeros(len(images) if np.ndim(images) else 0, int)
    refused(classifier, message, lambda: classifier.fit(images, labels, verbose=0))
    refused(classifier, message, lambda: classifier.evaluate(images, labels, verbose=0))
    refused(classifier, message, lambda: classifier.encode(images))
    refused(classifier, message, lambda: classifier.reconstruct(images))
    refused(classifier, message, lambda: classifier.classify(images))
    refused(gan, message, lambda: gan.fit(images, batch_size=2, verbose=0))
    validation = (images, labels)
    refused(
        classifier,
        message,
        lambda: classifier.fit(IMAGES, LABELS, validation_data=validation, verbose=0),
    )


@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels(classifier, case):
    labels, message = BAD_LABELS[case]
    refused(classifier, message, lambda: classifier.fit(IMAGES, labels, verbose=0))
    refused(classifier, message, lambda: classifier.evaluate(IMAGES, labels, verbose=0))
    validation = (IMAGES, labels) if labels is not None else IMAGES
    refused(
        classifier,
        message,
        lambda: classifier.fit(IMAGES, LABELS, validation_data=validation, verbose=0),
    )


def source_of(*arrays):
    """Somebody's own batches."""

    class Source(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return arrays if len(arrays) > 1 else arrays[0]

    return Source()


class Loader:
    """Somebody's own loader: what can be gone through again and again."""

    def __init__(self, batch):
        self.batch = batch

    def __len__(self):
        return 2

    def __iter__(self):
        return iter([self.batch, self.batch])


@pytest.mark.parametrize("make", [source_of, lambda *arrays: Loader(arrays)])
@pytest.mark.parametrize("case", ["whole numbers", "floats to 255", "tanh range", "colour"])
def test_bad_images_in_a_source_of_batches(classifier, make, case):
    images, message = BAD_IMAGES[case]
    source, good = make(images, LABELS), source_of(IMAGES, LABELS)
    refused(classifier, message, lambda: classifier.fit(source, verbose=0))
    refused(classifier, message, lambda: classifier.evaluate(source, verbose=0))
    refused(classifier, message, lambda: classifier.fit(good, validation_data=source, verbose=0))


def test_bad_labels_in_a_source_of_batches(classifier):
    source = source_of(IMAGES, LABELS + 1)
    refused(classifier, "Got labels from 1 to 3", lambda: classifier.fit(source, verbose=0))


def test_a_stream_loses_no_batch():
    batch, stream = first_batch(((IMAGES, LABELS + k) for k in range(3)), (8, 8, 1))
    np.testing.assert_array_equal(batch[1], LABELS)
    assert [labels[0] - LABELS[0] for _, labels in stream] == [0, 1, 2]


def test_advice_about_the_shape_works():
    shape = (8, 10, 3)
    advice = {
        (8, 10, 3): "images[None]",
        (3, 8, 10): "images.transpose(1, 2, 0)[None]",
        (5, 3, 8, 10): "images.transpose(0, 2, 3, 1)",
        (5, 240): "np.reshape(images, (-1, 8, 10, 3))",
    }
    for given, remedy in advice.items():
        assert remedy in shape_hint(given, shape)
        mended = eval(remedy, {"np": np, "images": np.zeros(given, "uint8")})
        assert check_images(mended, shape) is mended
    assert "resize the images" in shape_hint((5, 20, 20, 3), shape)


def test_whole_numbers_in_a_stream(classifier):
    images = IMAGES.astype("int32")
    stream = ((images, LABELS) for _ in range(3))
    fit = classifier.fit
    refused(classifier, "Got images of dtype int32; expected uint8", lambda: fit(stream, verbose=0))


def test_what_fit_has_no_use_for(classifier):
    fit = classifier.fit
    refused(classifier, "weigh all images alike", lambda: fit(IMAGES, LABELS, class_weight={0: 2}))
    weights = np.ones(len(IMAGES))
    refused(classifier, "alike", lambda: fit(IMAGES, LABELS, sample_weight=weights))
    refused(classifier, "Got a tuple as x; pass the images", lambda: fit((IMAGES, LABELS)))


@pytest.mark.parametrize("name", ["loss", "metrics"])
def test_compile_takes_no_loss_of_somebody_else(name):
    for model in (ae(), DCGAN((8, 8, 1), width=1 / 32)):
        with pytest.raises(InputError, match=f"Got {name}='mae'; a .* has its own losses and"):
            model.compile(**{name: "mae"})


def test_a_gan_takes_no_single_optimizer():
    for model, player in ((DCGAN, "discriminator"), (WGAN, "critic")):
        message = f"two players: give generator_optimizer and {player}_optimizer, or none"
        with pytest.raises(InputError, match=message):
            model((8, 8, 1), width=1 / 32).compile(optimizer="adam")


def test_a_single_callback_and_a_batch_size_of_the_validation():
    counted = []
    callback = keras.callbacks.LambdaCallback()
    callback.on_test_batch_end = lambda batch, logs=None: counted.append(batch)
    model = AE((8, 8, 1), widths=(8,))
    model.compile()
    options = {"batch_size": 4, "validation_batch_size": 2, "verbose": 0}
    model.fit(IMAGES, validation_data=IMAGES[:8], callbacks=callback, **options)
    assert len(counted) == 4


def test_lists_of_images():
    model = VAE((8, 8, 1), widths=(), seed=0)
    model.compile()
    history = model.fit(list(IMAGES), validation_data=list(IMAGES[:2]), verbose=0).history
    assert np.isfinite(history["val_loss"]).all()
    with pytest.raises(InputError, match="arrays of different shapes"):
        model.encode([IMAGES[0], IMAGES[1][:4]])


@pytest.mark.parametrize("batch_size", [0, -4, 2.5])
def test_batch_size(classifier, batch_size):
    message = f"batch_size={batch_size}; expected a whole number of at least 1"
    fit = classifier.fit
    refused(classifier, message, lambda: fit(IMAGES, LABELS, batch_size=batch_size, verbose=0))


@pytest.mark.parametrize("width", [0, -1, float("nan"), float("inf")])
def test_width(width):
    with pytest.raises(InputError, match=f"width={width}; expected a finite number above 0"):
        DCGAN((8, 8, 1), 3, width=width)


def test_widths():
    with pytest.raises(InputError, match="widths=0; expected a whole number of at least 1"):
        AE((8, 8, 1), widths=[8, 0])


def test_validation_data_as_a_list():
    model = AE((8, 8, 1), num_classes=3, widths=(), seed=0)
    model.compile()
    table = pd.Series(LABELS, index=range(5, 17))
    history = model.fit(IMAGES, table, validation_data=[IMAGES, table], verbose=0).history
    assert np.isfinite(history["val_classifier_loss"]).all()


def test_batches_of_the_wrong_shape(classifier):
    source = source_of(np.repeat(IMAGES, 3, -1), LABELS)
    refused(classifier, "this model takes (N, 8, 8, 1)", lambda: classifier.fit(source, verbose=0))


def test_batches_without_the_labels_that_are_needed(classifier):
    refused(classifier, "got no labels", lambda: classifier.fit(source_of(IMAGES), verbose=0))


def test_batches_with_sample_weights(classifier):
    source = source_of(IMAGES, LABELS, np.ones(12, "float32"))
    with pytest.raises(ValueError, match="sample weights are not used"):
        classifier.fit(source, verbose=0)


def test_validation_split_is_for_arrays(classifier):
    refused(
        classifier,
        "validation_split",
        lambda: classifier.fit(source_of(IMAGES, LABELS), validation_split=0.5, verbose=0),
    )


@pytest.mark.parametrize("share", [1.0, -0.1, 0.99, 0.01])
def test_a_validation_split_that_leaves_nothing(classifier, share):
    refused(
        classifier,
        "validation_split",
        lambda: classifier.fit(IMAGES, LABELS, validation_split=share, verbose=0),
    )


def test_the_image_as_its_own_target():
    model = ae()
    model.compile()
    images = images_of((12, 16, 3), 4)[0]
    refused(model, "pass the images once", lambda: model.fit(images, images, verbose=0))


@pytest.mark.parametrize("kind", [AE, VAE, DCGAN, WGAN])
@pytest.mark.parametrize("latent_dim", [0, -2, 1.5, True])
def test_latent_dim(kind, latent_dim):
    with pytest.raises(InputError, match=f"latent_dim={latent_dim}; expected a whole number"):
        kind((28, 28, 1), latent_dim)


@pytest.mark.parametrize("kind", [DCGAN, WGAN])
def test_a_generator_needs_a_latent_dim(kind):
    with pytest.raises(InputError, match="latent_dim=None; expected a whole number"):
        kind((28, 28, 1), None)


def test_numbers_of_numpy_are_numbers():
    shape = np.array([8, 8, 1])
    model = VAE(shape, np.int64(3), num_classes=np.int32(4), widths=(8,))
    assert (model.image_shape, model.latent_dim, model.num_classes) == ((8, 8, 1), 3, 4)
    assert VAE.from_config(model.get_config()).latent_dim == 3


@pytest.mark.parametrize("name", ["beta", "classifier_weight", "input_noise"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_weights_of_the_loss(name, value):
    with pytest.raises(InputError, match=f"{name}={value}; expected a finite number of at least 0"):
        VAE((8, 8, 1), **{name: value})


@pytest.mark.parametrize("image_shape", [(28, 28), (28, 28, 0), (28.0, 28, 1), (1, 28, 28, 1), 28])
def test_image_shape(image_shape):
    with pytest.raises(InputError, match=r"expected \(height, width, channels\)"):
        AE(image_shape)


@pytest.mark.parametrize("kind", [AE, VAE])
def test_unknown_likelihood(kind):
    with pytest.raises(InputError, match=r"'poisson' is unknown; choose from .*bernoulli"):
        kind((8, 8, 1), likelihood="poisson")


@pytest.mark.parametrize("num_classes", [0, 1, -3, 2.5])
def test_too_few_classes(num_classes):
    with pytest.raises(InputError, match=f"num_classes={num_classes}"):
        AE((8, 8, 1), num_classes=num_classes)


def test_unknown_precision():
    with (
        pytest.raises(InputError, match="'half' is unknown; choose from float32"),
        precision("half"),
    ):
        pass


def test_precision_is_put_back():
    before = keras.config.dtype_policy().name
    with pytest.raises(KeyError), precision("mixed_bfloat16"):
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        raise KeyError
    assert keras.config.dtype_policy().name == before


def test_classify_without_a_classifier():
    with pytest.raises(InputError, match="no classifier; build it with num_classes="):
        ae().classify(images_of((12, 16, 3), 2)[0])


@pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 3, 1), (3, 4), (0, 3)])
def test_codes_of_the_wrong_shape(shape):
    with pytest.raises(InputError, match=re.escape(f"shape {shape}; expected (N, 3)")):
        ae().decode(np.zeros(shape))


def test_fit_without_compile():
    with pytest.raises(ValueError, match="compile"):
        ae().fit(images_of((12, 16, 3), 2)[0])


def saved(tmp_path):
    path = tmp_path / "model.keras"
    model = AE((8, 8, 1), widths=(8,))
    model.compile()
    model.save(path)
    return path


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"no file .*nowhere\.keras"):
        AE.load(tmp_path / "nowhere.keras")


def test_a_file_of_another_model(tmp_path):
    path = saved(tmp_path)
    with pytest.raises(InputError, match="holds AE, not VAE"):
        VAE.load(path)
    assert isinstance(AE.load(path), AE)


def test_a_foreign_keras_file(tmp_path):
    path = tmp_path / "foreign.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(InputError, match="holds Sequential, not AE"):
        AE.load(path)


def test_a_foreign_lambda_is_not_run(tmp_path):
    path = tmp_path / "unsafe.keras"
    keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)]).save(path)
    with pytest.raises(InputError, match="could not be read as a model of this zoo"):
        AE.load(path)


def truncated(path):
    path.write_bytes(path.read_bytes()[:2000])


def flipped(path):
    """Noise where a member of the archive is, so that its check sum fails."""
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo("config.json").header_offset + 60
    content = bytearray(path.read_bytes())
    content[start : start + 40] = bytes(40)
    path.write_bytes(content)


def text(path):
    path.write_text("no model at all")


def emptied(path):
    path.write_bytes(b"")


def without(member):
    def remove(path):
        with zipfile.ZipFile(path) as archive:
            kept = {name: archive.read(name) for name in archive.namelist() if name != member}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in kept.items():
                archive.writestr(name, content)

    return remove


def garbled(path):
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, b"garbage" if name.endswith(".h5") else content)


@pytest.mark.parametrize(
    "damage",
    [truncated, flipped, text, emptied, garbled, without("config.json")],
    ids=["truncated", "flipped", "text", "emptied", "garbled weights", "no config"],
)
def test_a_corrupt_file(tmp_path, damage):
    path = saved(tmp_path)
    damage(path)
    with pytest.raises(InputError, match=r"model\.keras could not be read as a model of this zoo"):
        AE.load(path)


def test_what_is_taken_as_it_comes(classifier):
    """Lists, memory maps, double precision and `(N, 1)` labels are no bad input."""
    expected = classifier.encode(IMAGES)
    for images in (FLOATS.tolist(), FLOATS.astype("float64"), keras.ops.convert_to_tensor(IMAGES)):
        np.testing.assert_allclose(classifier.encode(images), expected, 1e-5, 1e-6)
    found = classifier.evaluate(IMAGES, LABELS.reshape(-1, 1).tolist(), verbose=0)
    assert found == pytest.approx(classifier.evaluate(IMAGES, LABELS, verbose=0), 1e-6)


def test_only_the_images_that_are_needed_are_scaled(tmp_path):
    path = tmp_path / "images.npy"
    np.save(path, IMAGES)
    view = UnitRange(np.load(path, mmap_mode="r"))
    assert view.shape == IMAGES.shape and len(view) == 12
    np.testing.assert_array_equal(view[np.array([3, 1])], FLOATS[[3, 1]])
    assert unit_range(IMAGES).dtype == np.float32
    half = unit_range(keras.ops.convert_to_tensor(FLOATS.astype("float16")))
    assert keras.backend.standardize_dtype(half.dtype) == "float32"


def test_no_callbacks():
    model = AE((8, 8, 1), widths=())
    model.compile()
    for callbacks in (None, [], ()):
        assert len(model.fit(IMAGES, callbacks=callbacks, verbose=0).history["loss"]) == 1


@pytest.fixture
def ctrl_c():
    """Press it; a shell that runs the tests in the background has switched it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("moment", ["on_train_batch_begin", "on_test_batch_begin"])
def test_ctrl_c_ends_between_two_steps(moment, ctrl_c):
    class CtrlC(keras.callbacks.Callback):
        pass

    setattr(CtrlC, moment, staticmethod(ctrl_c))
    model = AE((8, 8, 1), widths=(), seed=0)
    model.compile()
    with pytest.raises(KeyboardInterrupt):
        model.fit(IMAGES, validation_data=IMAGES, batch_size=4, callbacks=[CtrlC()], verbose=0)
    steps = 1 if moment == "on_train_batch_begin" else 3
    assert int(model.optimizer.iterations) == steps
    assert np.isfinite(model.evaluate(IMAGES, verbose=0)["loss"])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_is_not_held_back(ctrl_c):
    with pytest.raises(KeyboardInterrupt), StopSignals(all_signals=False):
        ctrl_c()
        ctrl_c()
        pytest.fail("it was held back")
