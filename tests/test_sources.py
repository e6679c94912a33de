"""What users feed besides NumPy arrays teaches a model the same, or is refused with a sentence."""

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from tiny_models import images_of

from common.errors import InputError
from common.models import AE, DCGAN, VAE, ImageClassifier
from common.training.inputs import check_labels
from common.training.sources import image_blocks, parts_of

pytestmark = pytest.mark.usefixtures("without_xla")

BACKEND = keras.backend.backend()
IMAGES, LABELS = images_of((8, 8, 1), 24)
DOUBLES = IMAGES / 255
FLOATS = DOUBLES.astype("float32")


@pytest.fixture(scope="module")
def tf():
    return pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def coder(without_xla):
    model = VAE((8, 8, 1), num_classes=3, widths=(8,), seed=0)
    model.compile()
    return model


def taught(x, y=None, **options):
    """The losses of a new model's first epoch."""
    keras.utils.set_random_seed(0)
    model = AE((8, 8, 1), num_classes=3, widths=(), seed=0)
    model.compile()
    history = model.fit(x, y, batch_size=8, **{"shuffle": False, "verbose": 0, **options}).history
    return history["loss"] + history.get("val_loss", [])


@pytest.fixture(scope="module")
def expected(without_xla):
    return pytest.approx(taught(FLOATS, LABELS), 1e-5)


class Batches(keras.utils.PyDataset):
    """Somebody's own three batches, each made of its rows by a function."""

    def __init__(self, make):
        super().__init__()
        self.make = make

    def __len__(self):
        return 3

    def __getitem__(self, index):
        return self.make(slice(8 * index, 8 * index + 8))


def stream(make, count=3):
    """A generator of such batches."""
    return (make(slice(k % 24, k % 24 + 8)) for k in range(0, 8 * count, 8))


def objects(arrays):
    found = np.empty(len(arrays), object)
    found[:] = arrays
    return found


FORMS = {
    "big-endian": lambda: FLOATS.astype(">f4"),
    "big-endian doubles": lambda: DOUBLES.astype(">f8"),
    "long doubles": lambda: DOUBLES.astype("longdouble"),
    "doubles": lambda: DOUBLES,
    "Fortran order": lambda: np.asfortranarray(FLOATS),
    "strided": lambda: np.repeat(IMAGES, 2, axis=0)[::2],
    "nothing masked": lambda: np.ma.masked_array(FLOATS),
    "objects": lambda: objects([*IMAGES]),
    "tensors": lambda: [keras.ops.convert_to_tensor(image) for image in FLOATS],
}


@pytest.mark.parametrize("form", FORMS)
def test_arrays_of_every_form(coder, expected, form):
    images = FORMS[form]()
    assert taught(images, LABELS.astype(">i4")) == expected
    np.testing.assert_allclose(coder.encode(images), coder.encode(FLOATS), 1e-4, 1e-5)
    figures = coder.evaluate(FLOATS, LABELS, verbose=0)
    assert coder.evaluate(images, LABELS, verbose=0) == pytest.approx(figures, 1e-5)


def test_half_precision_and_truth_values(coder):
    for images in (FLOATS.astype("float16"), IMAGES > 100):
        same = images.astype("float32")
        np.testing.assert_allclose(coder.encode(images), coder.encode(same), 1e-4, 1e-5)
        assert taught(images, LABELS) == pytest.approx(taught(same, LABELS), 1e-5)


@pytest.mark.parametrize("hair", [np.nextafter(np.float32(1), np.float32(2)), -1e-9])
def test_pixels_a_hair_outside_the_range(expected, hair):
    images = FLOATS.copy()
    images[3, 2, 2, 0] = hair
    clipped = np.clip(images, 0, 1)
    assert taught(images, LABELS) == pytest.approx(taught(clipped, LABELS), 1e-6)


def test_labels_of_every_form():
    forms = [LABELS.astype(kind) for kind in (">i4", "<u8", "float32", object)]
    forms += [LABELS.tolist(), LABELS[:, None], pd.Series(LABELS, dtype="Int64")]
    forms += [pd.DataFrame({"label": LABELS}, index=range(5, 29))]
    for labels in forms:
        found = check_labels(labels, 24, 3)
        np.testing.assert_array_equal(found, LABELS)
        assert found.dtype.isnative and found.dtype.kind in "iu" and found.dtype != "uint64"
    np.testing.assert_array_equal(check_labels(LABELS == 1, 24, 2), [0, 1, 0] * 8)


@pytest.mark.parametrize("images", [IMAGES, FLOATS], ids=["uint8", "float32"])
def test_hdf5(coder, tmp_path, images):
    options = {"shuffle": True, "validation_split": 0.25, "epochs": 2}
    with h5py.File(tmp_path / "images.h5", "w") as file:
        x, y = file.create_dataset("x", data=images), file.create_dataset("y", data=LABELS)
        found = taught(x, y, **options)
        np.testing.assert_allclose(coder.encode(x), coder.encode(images), 1e-5, 1e-6)
        np.testing.assert_allclose(coder.negative_elbo(x), coder.negative_elbo(images), 1e-5)
    assert found == pytest.approx(taught(images, LABELS, **options), 1e-5)


def test_streams(expected):
    assert taught(stream(lambda rows: (FLOATS[rows], LABELS[rows]))) == expected
    assert taught(stream(lambda rows: {"x": FLOATS[rows], "y": LABELS[rows]})) == expected
    big = stream(lambda rows: (FLOATS[rows].astype(">f4"), LABELS[rows].astype(">i4")))
    assert taught(big) == expected
    assert taught(stream(lambda rows: [FLOATS[rows].tolist(), LABELS[rows].tolist()])) == expected
    twice = stream(lambda rows: (FLOATS[rows], LABELS[rows]), count=6)
    repeated = taught(twice, epochs=2, steps_per_epoch=3)
    assert repeated == pytest.approx(taught(FLOATS, LABELS, epochs=2), 1e-5)


def test_dicts_of_tfds(tf, expected):
    names = {"image": FLOATS, "label": LABELS, "id": [str(k) for k in LABELS]}
    data = tf.data.Dataset.from_tensor_slices(names).batch(8)
    assert taught(data) == expected
    assert taught(data.repeat(), steps_per_epoch=3) == expected
    validated = taught(FLOATS, LABELS, validation_data=(FLOATS, LABELS), validation_batch_size=8)
    assert taught(FLOATS, LABELS, validation_data=data) == pytest.approx(validated, 1e-5)


@pytest.mark.parametrize("keys", [("picture", "label"), ("image", "x"), ("image", "label", "y")])
def test_dicts_with_other_names(keys):
    with pytest.raises(InputError, match=r"keys \['.*'\]; expected 'image' and 'label'"):
        parts_of(dict.fromkeys(keys, IMAGES))


def test_dicts_that_keras_would_not_read():
    source = Batches(lambda rows: {"image": FLOATS[rows], "label": LABELS[rows]})
    with pytest.raises(InputError, match="Got a Batches with batches that Keras cannot read"):
        taught(source)


def test_shapes_that_tensorflow_does_not_know(tf, expected):
    pairs = tf.data.Dataset.from_tensor_slices((FLOATS, LABELS)).batch(8)
    hidden = pairs.map(lambda x, y: (tf.numpy_function(lambda a: a, [x], x.dtype), y))
    assert taught(hidden) == expected
    assert taught(hidden.map(lambda x, y: {"image": x, "label": y})) == expected
    partly = hidden.map(lambda x, y: (tf.ensure_shape(x, (None, None, None, None)), y))
    assert taught(partly) == expected
    gan = DCGAN((8, 8, 1), 3, width=1 / 32, seed=0)
    gan.compile()
    gan.fit(hidden, verbose=0)
    assert int(gan.optimizers[0].iterations) == 3


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Others see the shape of every batch")
def test_other_images_where_tensorflow_does_not_know_the_shape(tf):
    turned = [FLOATS[:8], FLOATS[:8].reshape(8, 4, 16, 1)]
    data = tf.data.Dataset.range(2).map(
        lambda k: (tf.numpy_function(turned.__getitem__, [k], "float32"), LABELS[:8])
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="Dimension"):
        taught(data)


@pytest.mark.parametrize("value", [255, np.nan])
@pytest.mark.parametrize("endless", [True, False])
def test_bad_pixels_in_datasets_without_a_length(tf, value, endless):
    bad = tf.data.Dataset.from_tensor_slices((FLOATS * value, LABELS)).batch(8)
    bad = bad.repeat() if endless else bad.filter(lambda x, y: True)
    message = "NaN or infinite pixels" if np.isnan(value) else "Divide 0 to 255 by 255"
    with pytest.raises(InputError, match=message):
        taught(bad, steps_per_epoch=3)
    with pytest.raises(InputError, match=message):
        taught(FLOATS, LABELS, validation_data=bad, validation_steps=3)


def test_loaders_of_pytorch(torch, coder, expected):
    images, labels = torch.tensor(FLOATS), torch.tensor(LABELS)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(images, labels), 8)
    assert taught(loader) == expected
    np.testing.assert_allclose(coder.encode(loader), coder.encode(FLOATS), 1e-4, 1e-5)
    moved = torch.utils.data.DataLoader(images.permute(0, 3, 1, 2), 8)
    with pytest.raises(InputError, match=r"channels come first; .* images\.permute\(0, 2, 3, 1\)"):
        coder.encode(moved)


SOURCES = {
    "PyDataset": lambda tf: Batches(lambda rows: (FLOATS[rows], LABELS[rows])),
    "dicts": lambda tf: stream(lambda rows: {"image": FLOATS[rows]}),
    "tf.data": lambda tf: tf.data.Dataset.from_tensor_slices(FLOATS).batch(7),
}


@pytest.mark.parametrize("source", SOURCES)
def test_predictions_on_sources_of_batches(tf, coder, source):
    for verb in (coder.encode, coder.reconstruct, coder.posterior, coder.classify):
        np.testing.assert_allclose(verb(SOURCES[source](tf)), verb(FLOATS), 1e-4, 1e-5)
    found = coder.negative_elbo(SOURCES[source](tf))
    np.testing.assert_allclose(found, coder.negative_elbo(FLOATS), 1e-5)


def test_stacked_images_of_a_source_are_classified_by_channel():
    net = ImageClassifier((8, 8, 1), 3, width=1 / 8, seed=0)
    stacked = np.concatenate([FLOATS, 1 - FLOATS], axis=-1)
    found = net.classify(stream(lambda rows: (stacked[rows],)))
    np.testing.assert_allclose(found, net.classify(stacked), 1e-4, 1e-6)


def test_blocks_of_images(monkeypatch):
    monkeypatch.setattr("common.training.sources.NUMBERS_AT_ONCE", 16 * 64)
    blocks = [*image_blocks(stream(lambda rows: IMAGES[rows]))]
    assert [len(block) for block in blocks] == [16, 8]
    np.testing.assert_array_equal(np.concatenate(blocks), IMAGES)


def test_predictions_on_endless_and_uneven_sources(tf, coder):
    with pytest.raises(InputError, match="endless dataset; take a part"):
        coder.encode(tf.data.Dataset.from_tensor_slices(FLOATS).batch(8).repeat())
    with pytest.raises(InputError, match=r"batches of shape \(8, 8, 8, 1\) and \(8, 8, 4, 1\)"):
        coder.encode(iter([FLOATS[:8], FLOATS[:8, :, :4]]))
    with pytest.raises(
        InputError, match=r"shape \(8, 8, 1\).* images\[None\], or batch the dataset"
    ):
        coder.negative_elbo(tf.data.Dataset.from_tensor_slices(FLOATS))


@pytest.mark.parametrize("given", [None, "photo.png", {"image": FLOATS}, 3.0, {1}, iter(())])
def test_what_is_no_source_of_images(coder, given):
    message = "Got (a .*; expected images as an array|a set with|images of shape|a source without)"
    for verb in (
        coder.encode,
        coder.posterior,
        coder.classify,
        coder.negative_elbo,
        coder.evaluate,
    ):
        with pytest.raises(InputError, match=message):
            verb(given)
    with pytest.raises(InputError, match=message):
        taught(given)


@pytest.mark.parametrize("codes", [None, "codes", iter(())])
def test_what_is_no_array_of_codes(coder, codes):
    with pytest.raises(InputError, match=r"Got codes of shape \(\); expected \(N, 2\)"):
        coder.decode(codes)


def test_log_likelihood_of_bytes(coder):
    codes = np.zeros((2, 24, 2), "float32")
    found, same = (coder.log_likelihood(images, codes) for images in (IMAGES, FLOATS))
    np.testing.assert_allclose(found, same, 1e-5)
