"""What every model keeps to, on every backend and in every precision: one table, one contract."""

import importlib.util
import json

import keras
import numpy as np
import pytest
from tiny_models import (
    GANS,
    MODELS,
    differ,
    images_of,
    learners,
    lesson,
    state_of,
    values_of,
)

from common.models import AE
from common.training.batches import ArrayBatches

pytestmark = pytest.mark.usefixtures("without_xla")

BATCH = 8
EPOCHS = 6
# What a file brings back is the same for every model; these have all its parts between them: a
# classifier, layers of the zoo's, networks and a class of one's own, an average, dropout.
SAVED = ("vae_classifier", "wgan", "classifier", "hinge")
MIXED = ("ae_classifier", "vae_classifier", "conv_vae_map", "dcgan", "wgan", "photo_gan")
MIXED += ("classifier",)
QUICK_MIXED = (("vae_classifier", "mixed_bfloat16"), ("dcgan", "mixed_float16"))
PRECISIONS = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


def slow_but(chosen, cases):
    """All cases, of which those that are not chosen are slow."""
    return [pytest.param(c, marks=() if c in chosen else pytest.mark.slow) for c in cases]


def compiled(name, **options):
    model = MODELS[name](**options)
    rates = (2e-3, 1e-3) if name in GANS else (1e-2,)
    model.compile(*map(keras.optimizers.Adam, rates))
    return model


def outputs(model):
    """Everything that the model's verbs return that has no randomness of its own."""
    images, _ = images_of(model.image_shape, 5)
    found = {}
    if hasattr(model, "sample"):
        found["sample"] = model.sample(3, seed=7)
    if hasattr(model, "encode"):
        found["encode"] = model.encode(images)
        found["reconstruct"] = model.reconstruct(images)
        found["decode"] = model.decode(found["encode"])
    if model.num_classes:
        found["classify"] = model.classify(images)
    return found


def assert_same(first, second, tolerance=1e-5):
    assert first.keys() == second.keys()
    for key in first:
        np.testing.assert_allclose(first[key], second[key], tolerance, tolerance, err_msg=key)


@pytest.fixture(scope="module", params=MODELS)
def trained(request, without_xla):
    """A model after a few epochs, its weights before them, and its history."""
    model = compiled(request.param)
    before = values_of(learners(model))
    history = model.fit(*lesson(model), epochs=EPOCHS, batch_size=BATCH, verbose=0).history
    return model, before, history


def test_training_moves_every_part_and_lowers_the_loss(trained):
    model, before, history = trained
    assert all(np.isfinite(values).all() for values in history.values())
    assert set(history) == set(model.metric_kinds)
    assert all(differ(before, values_of(learners(model))))
    if "loss" in history:
        assert history["loss"][-1] < 0.9 * history["loss"][0]


def test_every_batch_is_one_optimizer_step(trained):
    model, *_ = trained
    steps = EPOCHS * (48 // (BATCH * model.batches_per_step))
    per_player = [int(optimizer.iterations) for optimizer in model.optimizers]
    assert per_player == [steps, steps * model.batches_per_step][: len(per_player)]


def test_verbs_return_float32_images_in_the_unit_range(trained):
    model, *_ = trained
    found = outputs(model)
    for key, values in found.items():
        assert isinstance(values, np.ndarray) and values.dtype == np.float32, key
    for key in {"sample", "decode", "reconstruct"} & found.keys():
        assert found[key].shape[1:] == model.image_shape
        assert found[key].min() >= 0 and found[key].max() <= 1
    if "encode" in found:
        assert found["encode"].shape == (5, *model.code_shape)
    if "classify" in found:
        np.testing.assert_allclose(found["classify"].sum(axis=1), np.ones(5), 1e-5)


def test_samples_follow_the_seed(trained):
    model, *_ = trained
    if not hasattr(model, "sample"):
        pytest.skip("this model draws no samples")
    first = model.sample(4, seed=3)
    assert first.shape == (4, *model.image_shape)
    np.testing.assert_array_equal(first, model.sample(4, seed=3))
    assert np.abs(first - model.sample(4, seed=4)).max() > 1e-4
    assert np.abs(model.sample(4) - model.sample(4)).max() > 1e-4


def test_evaluation_repeats_and_takes_uint8_as_float(trained):
    model, *_ = trained
    images, *labels = lesson(model)
    found = model.evaluate(images, *labels, batch_size=16, verbose=0)
    assert set(found) == set(model.metric_kinds)
    again = model.evaluate(images, *labels, batch_size=16, verbose=0)
    # Without XLA, dense sums differ in their last bit with the place of a batch in memory.
    assert found == (again if model.convolutional else pytest.approx(again, 1e-6))
    floats = (images / 255.0).astype("float32")
    assert_same(found, model.evaluate(floats, *labels, batch_size=16, verbose=0))


@pytest.mark.parametrize("name", ["ae_classifier", "vae"])
def test_evaluation_compiled_by_xla_repeats_bit_for_bit(name):
    model = compiled(name)
    model.compile(jit_compile=True if keras.config.backend() == "tensorflow" else None)
    data = lesson(model)
    first, second = (model.evaluate(*data, batch_size=16, verbose=0) for _ in range(2))
    assert first == second


def test_config_builds_the_same_model(trained):
    model, *_ = trained
    config = model.get_config()
    twin = type(model).from_config(config)
    assert twin.get_config() == config
    assert [v.shape for v in twin.variables] == [v.shape for v in model.variables]
    assert [v.name for v in twin.variables] == [v.name for v in model.variables]


def saved_and_loaded(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras", safe_mode=True)


def test_a_file_holds_the_whole_model(trained, tmp_path):
    model, *_ = trained
    loaded = saved_and_loaded(model, tmp_path)
    assert type(loaded) is type(model)
    configs = [json.dumps(m.get_config(), sort_keys=True) for m in (loaded, model)]
    assert configs[0] == configs[1]
    assert not any(differ(values_of(model.weights), values_of(loaded.weights)))
    assert not any(differ(state_of(model.optimizer), state_of(loaded.optimizer)))


@pytest.mark.parametrize("trained", slow_but(SAVED, MODELS), indirect=True)
def test_a_loaded_model_goes_on_as_the_saved_one(trained, tmp_path):
    model, *_ = trained
    data = lesson(model)
    loaded = saved_and_loaded(model, tmp_path)
    assert_same(outputs(model), outputs(loaded))
    assert_same(
        model.evaluate(*data, batch_size=16, verbose=0),
        loaded.evaluate(*data, batch_size=16, verbose=0),
    )

    # The file has everything but the state of the noise.
    for theirs, ours in zip(loaded.variables, values_of(model.variables), strict=True):
        theirs.assign(ours)
    options = {"batch_size": BATCH, "epochs": 2, "verbose": 0}
    histories = []
    for m in (model, loaded):
        keras.utils.set_random_seed(0)  # PyTorch's dropout draws from the global state
        histories.append(m.fit(*data, **options).history)
    assert_same(*histories, 1e-3)
    steps = [[int(o.iterations) for o in m.optimizers] for m in (model, loaded)]
    assert steps[0] == steps[1] and min(steps[0]) > EPOCHS * 48 // (BATCH * model.batches_per_step)


@pytest.mark.parametrize(
    "case",
    slow_but(QUICK_MIXED, [(name, f"mixed_{kind}float16") for name in MIXED for kind in ("", "b")]),
    ids="-".join,
)
def test_mixed_precision(case, tmp_path):
    name, precision = case
    model = compiled(name, dtype=precision)
    epochs = 3 if name in GANS else EPOCHS
    before = values_of(learners(model))
    history = model.fit(*lesson(model), epochs=epochs, batch_size=BATCH, verbose=0).history

    assert all(np.isfinite(values).all() for values in history.values())
    assert all(differ(before, values_of(learners(model))))
    if "loss" in history:
        assert history["loss"][-1] < 0.9 * history["loss"][0]
    if hasattr(model, "encode"):
        networks = [model.encoder, model.decoder, model.classifier]
    elif name == "classifier":
        networks = [model.network]
    else:
        networks = [model.generator, model.discriminator]
    for network in networks:
        assert {keras.backend.standardize_dtype(x.dtype) for x in network.outputs} == {"float32"}
        assert {keras.backend.standardize_dtype(v.dtype) for v in network.weights} == {"float32"}
    within = {layer.compute_dtype for network in networks for layer in network.layers}
    assert PRECISIONS[precision] in within
    found = outputs(model)
    assert all(values.dtype == np.float32 for values in found.values())
    wrapped = [isinstance(o, keras.optimizers.LossScaleOptimizer) for o in model.optimizers]
    assert all(wrapped) if precision == "mixed_float16" else not any(wrapped)

    model.save(tmp_path / "model.keras")
    loaded = type(model).load(tmp_path / "model.keras")
    assert loaded.dtype_policy.name == precision
    assert [type(o) for o in loaded.optimizers] == [type(o) for o in model.optimizers]
    assert not any(differ(state_of(model.optimizer), state_of(loaded.optimizer)))
    assert_same(found, outputs(loaded))


def test_loss_scaling_leaves_the_step_as_it_is():
    """Adam would hide a gradient of another size; gradient descent does not."""
    steps = {}
    for precision in ("float32", "mixed_float16"):
        model = AE((8, 8, 1), widths=(16,), seed=0, dtype=precision)
        rng = np.random.default_rng(0)
        before = [rng.normal(0, 0.2, v.shape) for v in model.trainable_variables]
        for variable, value in zip(model.trainable_variables, before, strict=True):
            variable.assign(value)
        rule = keras.optimizers.SGD(1e-2)
        if precision == "mixed_float16":
            rule = keras.optimizers.LossScaleOptimizer(rule, initial_scale=256.0)
        model.compile(rule)
        model.fit(*lesson(model, 16), batch_size=16, verbose=0)
        after = values_of(model.trainable_variables)
        steps[precision] = np.concatenate(
            [np.ravel(b - a) for a, b in zip(before, after, strict=True)]
        )
    length = np.linalg.norm(steps["float32"])
    assert length > 1e-3
    assert np.linalg.norm(steps["mixed_float16"] - steps["float32"]) < 0.05 * length


class Sequence(keras.utils.PyDataset):
    """Somebody's own source of batches."""

    def __init__(self, arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays[0]) // 16

    def __getitem__(self, index):
        return tuple(array[16 * index : 16 * index + 16] for array in self.arrays)


def tensorflow_dataset(arrays):
    import tensorflow

    return tensorflow.data.Dataset.from_tensor_slices(arrays).batch(16)


def torch_loader(arrays):
    import torch

    tensors = torch.utils.data.TensorDataset(*map(torch.as_tensor, arrays))
    return torch.utils.data.DataLoader(tensors, batch_size=16)


SOURCES = {"PyDataset": Sequence, "tensorflow": tensorflow_dataset, "torch": torch_loader}
INSTALLED = [s for s in SOURCES if s == "PyDataset" or importlib.util.find_spec(s)]


@pytest.fixture(
    scope="module", params=[pytest.param("ae", marks=pytest.mark.slow), "vae_classifier", "wgan"]
)
def pupil(request):
    networks = {"networks": "paper_critic", "width": 1 / 32} if request.param == "wgan" else {}
    return compiled(request.param, **networks)


@pytest.mark.parametrize("source", INSTALLED)
def test_any_source_of_batches_is_taken(pupil, source):
    arrays = lesson(pupil)
    feed = SOURCES[source](arrays)
    of_arrays = pupil.evaluate(*arrays, batch_size=16, verbose=0)
    assert_same(of_arrays, pupil.evaluate(feed, verbose=0))

    weights, steps = values_of(learners(pupil)), int(pupil.optimizers[0].iterations)
    history = pupil.fit(feed, validation_data=feed, epochs=1, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert int(pupil.optimizers[0].iterations) == steps + 3
    assert all(differ(weights, values_of(learners(pupil))))


def test_fit_takes_the_orders_of_the_seed_one_after_the_other(pupil, monkeypatch):
    """Whatever feeds the backend: no order is skipped, repeated, or begun and left."""
    seen = []
    take = ArrayBatches.__getitem__

    def watch(self, index):
        batch = take(self, index)
        seen.append(batch[0])
        return batch

    monkeypatch.setattr(ArrayBatches, "__getitem__", watch)
    images, *labels = lesson(pupil)
    size = 16 // pupil.batches_per_step
    pupil.order = None  # As if it had not been trained.
    pupil.fit(images, *labels, batch_size=size, epochs=3, verbose=0)
    orders = [np.random.default_rng([pupil.seed, k]).permutation(48) for k in (1, 2, 3)]
    assert len(seen) == 9
    np.testing.assert_array_equal(np.concatenate(seen), images[np.concatenate(orders)])


def test_fits_one_after_the_other_take_new_orders(monkeypatch):
    model = AE((8, 8, 1), widths=())
    model.compile()
    seen = []
    take = ArrayBatches.__getitem__
    monkeypatch.setattr(
        ArrayBatches, "__getitem__", lambda self, i: seen.append(take(self, i)) or seen[-1]
    )
    for _ in range(3):
        model.fit(images_of((8, 8, 1), 20)[0], batch_size=20, verbose=0)
    assert len({batch[0].tobytes() for batch in seen}) == 3
