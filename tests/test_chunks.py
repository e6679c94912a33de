"""Many steps in one call: the same steps, on the same images, as one by one."""

import keras
import numpy as np
import pytest
from tiny_models import MODELS, images_of, lesson, values_of

from common.errors import InputError
from common.models import AE
from common.training import evaluator
from common.training.backend import to_device
from common.training.batches import ArrayBatches, Chunks

pytestmark = [
    pytest.mark.usefixtures("without_xla"),
    pytest.mark.skipif(to_device is None, reason="PyTorch takes its steps one by one"),
]
XLA = {"jit_compile": False} if keras.backend.backend() == "tensorflow" else {}
QUICKEST = ("ae", "vae_classifier", "wgan", "conv_vae_map")
COUNT = 52  # so that the last batch is smaller


def new(name, **options):
    keras.utils.set_random_seed(3)
    model = MODELS[name]()
    model.compile(**XLA, **options)
    return model


class Stream(keras.utils.PyDataset):
    """Batches of eight images, in their order."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return len(self.images) // 8

    def __getitem__(self, index):
        return (self.images[8 * index : 8 * index + 8],)


class Calls(keras.callbacks.Callback):
    """How often Keras's loop called the train function, and what it said of the batches."""

    def on_train_begin(self, logs=None):
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


def study(model, steps_per_call, **options):
    model.compile(**XLA, steps_per_execution=steps_per_call)
    size, calls = 8 // model.batches_per_step, Calls()
    data = lesson(model, COUNT)
    history = model.fit(
        *data, batch_size=size, epochs=2, verbose=0, callbacks=[calls], validation_data=data
    )
    return history.history, calls.batches


@pytest.mark.parametrize(
    "name",
    [n if n in QUICKEST else pytest.param(n, marks=pytest.mark.slow) for n in MODELS],
)
def test_many_steps_in_a_call_are_those_of_one_by_one(name):
    one, many = new(name), new(name)
    expected, calls = study(one, 1)
    found, fewer = study(many, 4)
    assert len(fewer) < len(calls) / 2 and fewer == [*range(len(fewer) // 2)] * 2
    assert found.keys() == expected.keys()
    for metric, values in expected.items():
        np.testing.assert_allclose(found[metric], values, 2e-3, 2e-5, err_msg=metric)
    for mine, theirs in zip(values_of(many.weights), values_of(one.weights), strict=True):
        # Adam's steps are of the rate's size, 2e-3, where a gradient is all but zero too: that of
        # a bias before few images' BatchNorm.
        np.testing.assert_allclose(mine, theirs, 2e-2, 1e-3 if name == "conv_ae" else 2e-4)


@pytest.mark.parametrize("count, size, most", [(52, 8, 4), (48, 8, 4), (5, 8, 4), (47, 1, 32)])
def test_chunks_are_the_batches_in_their_order(count, size, most):
    batches = ArrayBatches((np.arange(count),), size, shuffle=True)
    batches.begin_epoch(3, 0)
    chunks = Chunks(batches, most, None)
    items = [chunks[k] for k in range(len(chunks))]
    taken = [row for rows, steps in items for row in rows[:steps].tolist()]
    assert taken == [batches[k][0].tolist() for k in range(len(batches))]
    assert all(len(rows) <= most for rows, _ in items)


def test_a_second_fit_compiles_nothing(monkeypatch):
    model, data = new("ae", steps_per_execution=4), images_of((12, 16, 3))[0]
    model.fit(data, batch_size=8, verbose=0)
    made = []
    monkeypatch.setattr(type(model), "fused", lambda *_: made.append(1))
    model.fit(data, batch_size=8, verbose=0)
    model.compile(**XLA, steps_per_execution=4)
    with pytest.raises(TypeError):  # Compiled again, it makes a new function.
        model.fit(data, batch_size=8, verbose=0)
    assert made


def test_streams_and_large_arrays_are_fed_batch_by_batch(monkeypatch):
    data = images_of((12, 16, 3))[0]
    for limit, used in ((data.nbytes, True), (data.nbytes - 1, False)):
        monkeypatch.setattr(evaluator, "RESIDENT", limit)
        model = new("ae", steps_per_execution=4)
        model.fit(data, batch_size=8, verbose=0)
        assert ("train_function" in model.gathering) is used
    model = new("ae", steps_per_execution=4)
    model.fit(Stream(data), verbose=0)
    assert not model.gathering


def test_an_evaluation_within_a_training_takes_its_own_steps():
    data = images_of((12, 16, 3))[0]
    model = new("ae", steps_per_execution=4)
    stream, found = Stream(data), []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            for x, options in ((data, {}), (stream, {}), (stream, {"steps": 3})):
                figures = model.evaluate(x, batch_size=8, verbose=0, **options)
                found.append(figures["loss"])

    watched = data[:24]
    for x in (data, stream):
        history = model.fit(
            x, batch_size=8, epochs=2, verbose=0, callbacks=[Look()], validation_data=watched
        ).history
        np.testing.assert_allclose(found[0::3], found[1::3], 1e-5)
        # The first three batches of the stream are the watched images.
        np.testing.assert_allclose(found[2::3], history["val_loss"], 1e-5)
        found.clear()


def test_a_bad_step_is_named_by_its_number():
    data = images_of((12, 16, 3))[0]

    class Bad(AE):
        def compute_losses(self, images, labels, training):
            losses = super().compute_losses(images, labels, training)
            bad = keras.ops.equal(self.optimizer.iterations.value, 2)
            loss = keras.ops.where(bad, np.float32(np.nan), losses["loss"])
            return losses | {"loss": loss}

    model = Bad((12, 16, 3), 3, widths=(8,), likelihood="gaussian")
    model.compile(**XLA, steps_per_execution=4)
    before = values_of(model.weights)
    with pytest.raises(FloatingPointError, match="step 3 of the epoch loss"):
        model.fit(data, batch_size=8, verbose=0)
    for mine, theirs in zip(values_of(model.weights), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_wrong_shape_is_refused_before_the_device_sees_it():
    with pytest.raises(InputError, match="12, 16, 3"):
        new("ae", steps_per_execution=4).fit(images_of((8, 8, 1))[0], verbose=0)


def test_callbacks_that_count_batches_count_them(tmp_path):
    data = images_of((12, 16, 3))[0]
    model = new("ae", steps_per_execution=4)
    saved = keras.callbacks.ModelCheckpoint(str(tmp_path / "{epoch}-{batch}.keras"), save_freq=4)
    model.fit(data, batch_size=4, epochs=1, verbose=0, callbacks=[saved])
    assert len([*tmp_path.iterdir()]) == 3


def test_single_batches_within_a_training_are_taken():
    data, found = images_of((12, 16, 3))[0], []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            found.append(self.model.test_on_batch(data[:8], return_dict=True))
            self.model.train_on_batch(data[:8])

    model = new("ae", steps_per_execution=4)
    model.fit(data, batch_size=8, epochs=2, verbose=0, callbacks=[Look()], validation_data=data)
    assert len(found) == 2 and all(np.isfinite(figures["loss"]) for figures in found)
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 14
