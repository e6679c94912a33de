"""One step on every backend installed; files that go between them; the order of batches."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from tiny_models import images_of

from common.training.backend import fastest, feed
from common.training.backend.fastest import fastest_execution
from common.training.batches import ArrayBatches

BACKENDS = [b for b in ("tensorflow", "jax", "torch") if importlib.util.find_spec(b)]
NAMES = ("ae_classifier", "vae_classifier", "dcgan", "wgan")


@pytest.fixture(scope="session")
def probed(tmp_path_factory):
    """What each backend computed from given weights and noise, and what it read of the others'."""
    assert "tensorflow" in BACKENDS
    folder = tmp_path_factory.mktemp("probe")
    probe = Path(__file__).with_name("backend_probe.py")
    paths = [str(probe.parents[1]), os.environ.get("PYTHONPATH", "")]
    for task in ("train", "load"):
        for backend in BACKENDS:
            environment = {
                **os.environ,
                "KERAS_BACKEND": backend,
                "XLA_FLAGS": "--xla_backend_optimization_level=0",  # JAX compiles in half the time
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            }
            ran = subprocess.run(
                [sys.executable, str(probe), str(folder), task],
                env=environment,
                capture_output=True,
                text=True,
            )
            assert ran.returncode == 0, f"{task} on {backend}:\n{ran.stderr[-3000:]}"
    return {
        task: {backend: dict(np.load(folder / f"{task}.{backend}.npz")) for backend in BACKENDS}
        for task in ("train", "load")
    }


# What three steps from the given weights on the given noise do to each loss, in the order of their
# names: before the first step and after the last. All three backends have once agreed on them.
EXPECTED = {
    "ae_classifier": [
        [0.5, 0.826456, 77.56498, 11.4485],
        [0.6875, 0.6342927, 62.00574, 11.26233],
    ],
    "vae_classifier": [
        [0.5625, 1.680577, 1.268137, 97.34241, 62.46274],
        [0.5, 1.516272, 0.9612411, 89.35744, 58.07076],
    ],
    "dcgan": [
        [0.4673428, 0.2563246, 2.027491, 0.7664159],
        [0.4916742, 0.2571001, 2.072963, 0.7174639],
    ],
    "wgan": [
        [-0.1261954, 0.1261954, 0.02824432],
        [-0.000895991, 0.0008959908, 0.001237991],
    ],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_losses_are_the_same_on_every_backend(probed, backend, name):
    losses = probed["train"][backend][f"{name}/losses"]
    np.testing.assert_allclose(losses[[0, -1]], EXPECTED[name], 1e-4, 1e-7)
    assert np.abs(losses[-1] - losses[0]).max() > 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backend", BACKENDS)
def test_updated_weights_are_the_same_on_every_backend(probed, backend, name):
    ours, first = probed["train"][backend], probed["train"][BACKENDS[0]]
    keys = [key for key in first if key.startswith(f"{name}/weights")]
    assert keys
    for key in keys:
        np.testing.assert_allclose(ours[key], first[key], 1e-3, 2e-5, err_msg=key)
        assert np.isfinite(ours[key]).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("writer", BACKENDS)
@pytest.mark.parametrize("reader", BACKENDS)
def test_files_go_from_backend_to_backend(probed, reader, writer, name):
    for key, tolerance in (("outputs", 1e-5), ("optimizer", 0.0)):
        read = probed["load"][reader][f"{writer}/{name}/{key}"]
        written = probed["train"][writer][f"{name}/{key}"]
        np.testing.assert_allclose(read, written, tolerance, tolerance, err_msg=key)


def orders(count=10, epochs=3, **options):
    """The indices that each epoch's batches hold, one array per epoch."""
    seed = options.pop("seed", 0)
    defaults = {"batch_size": 4, "shuffle": True, "drop_remainder": False}
    source = ArrayBatches((np.arange(count),), **(defaults | options))
    found = []
    for epoch in range(epochs):
        source.begin_epoch(epoch, seed)
        found.append([source[index][0] for index in range(len(source))])
    return found


def test_every_epoch_covers_all_images_once_in_an_order_of_its_own():
    found = orders()
    assert [[len(batch) for batch in epoch] for epoch in found] == [[4, 4, 2]] * 3
    epochs = [tuple(np.concatenate(epoch)) for epoch in found]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len(set(epochs)) == 3


def test_the_order_is_a_function_of_the_seed():
    first, same, other = (np.concatenate(orders(seed=s)[0]) for s in (5, 5, 6))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_a_remainder_can_be_dropped_and_the_order_kept():
    found = orders(shuffle=False, drop_remainder=True)
    assert [[list(batch) for batch in epoch] for epoch in found] == [
        [[0, 1, 2, 3], [4, 5, 6, 7]]
    ] * 3


def test_epochs_of_other_lengths_take_the_same_orders():
    whole = np.concatenate([np.concatenate(epoch) for epoch in orders(epochs=3)])
    parts = np.concatenate([np.concatenate(epoch) for epoch in orders(epochs=4, steps=2)])
    np.testing.assert_array_equal(parts, whole[: len(parts)])
    assert [len(epoch) for epoch in orders(epochs=2, steps=7)] == [7, 7]


def test_arrays_stay_aligned():
    source = ArrayBatches((np.arange(10), 2 * np.arange(10)), 3, shuffle=True)
    assert all((2 * a == b).all() for a, b in (source[i] for i in range(len(source))))


def test_batches_hold_what_the_arrays_hold():
    images, labels = images_of((8, 8, 1), 10)
    taken = [
        [keras.ops.convert_to_numpy(part) for part in batch]
        for batch in iterate(feed(ArrayBatches((images, labels), 4)))
    ]
    assert [len(batch[0]) for batch in taken] == [4, 4, 2]
    np.testing.assert_array_equal(np.concatenate([batch[0] for batch in taken]), images)
    np.testing.assert_array_equal(np.concatenate([batch[1] for batch in taken]), labels)
    assert taken[0][0].dtype == np.uint8


def iterate(source):
    """Batches of a `tf.data.Dataset` or of a `PyDataset`."""
    return (
        source if hasattr(source, "element_spec") else map(source.__getitem__, range(len(source)))
    )


def test_convolutions_take_no_xla_on_the_cpu_and_dense_networks_fused_steps():
    dense, convolutional = (fastest_execution("cpu", kind) for kind in (False, True))
    backend = keras.backend.backend()
    if backend == "tensorflow":
        assert dense["jit_compile"] is True
        assert convolutional == {"jit_compile": False, "steps_per_execution": 1}
    assert (dense["steps_per_execution"] > 1) is (backend != "torch")
    assert convolutional["steps_per_execution"] == 1


@pytest.mark.parametrize(
    "device, convolutional, flags, expected",
    [
        ("cpu", True, "fma avx512_bf16", "mixed_bfloat16"),
        ("cpu", True, "fma amx_bf16", "mixed_bfloat16"),
        ("cpu", True, "fma avx512f", "float32"),
        ("cpu", False, "fma avx512_bf16", "float32"),
    ],
)
def test_the_precision_is_chosen_by_the_processor(
    monkeypatch, device, convolutional, flags, expected
):
    monkeypatch.setattr(fastest, "_processor", lambda: flags)
    policy, why = fastest.fastest_precision(device, convolutional)
    assert policy == (expected if keras.backend.backend() == "tensorflow" else "float32") and why


@pytest.mark.parametrize("able, expected", [(True, "mixed_bfloat16"), (False, "mixed_float16")])
def test_an_accelerator_takes_its_own_precision(monkeypatch, able, expected):
    monkeypatch.setattr(fastest, "has_bfloat16", lambda: able)
    policy, why = fastest.fastest_precision("a card", False)
    assert policy == expected and why.startswith("a card computes in")
