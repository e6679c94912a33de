"""What users of Keras do to a model works here, or is refused in a sentence."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from tiny_models import MODELS, images_of, lesson, values_of

from common.errors import InputError
from common.models import AE, DCGAN, LSGAN, VAE, WGAN
from common.training.guards import rates_of

IMAGES, LABELS = images_of((8, 8, 1), 24)
FLOATS = (IMAGES / 255).astype("float32")


@keras.saving.register_keras_serializable("tests")
class MyVAE(VAE):
    """A subclass of one's own."""


def ran(script, *arguments, **environment):
    """What a script prints in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return run.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ae", "vae", "dcgan"])
def test_an_exported_model_serves_what_a_call_gives(name, tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = MODELS[name]()
    taken = images_of(model.image_shape, 4)[0] / np.float32(255)
    if name == "dcgan":
        taken = np.random.default_rng(0).standard_normal((4, 4), "float32")
    model.export(str(tmp_path), format="tf_saved_model", verbose=False)
    served = tf.saved_model.load(str(tmp_path)).serve(taken)
    np.testing.assert_allclose(served, keras.ops.convert_to_numpy(model(taken)), atol=1e-5)


@pytest.mark.parametrize("kind", [DCGAN, WGAN])
def test_one_optimizer_for_both_players_is_refused(kind):
    shared = keras.optimizers.Adam(1e-3)
    with pytest.raises(InputError):
        kind((8, 8, 1), 4, width=0.05).compile(shared, shared)


def test_a_subclass_takes_the_presets_of_its_base():
    assert type(MyVAE.from_preset("vae_mnist", image_shape=(8, 8, 1), widths=[8])) is MyVAE
    with pytest.raises(InputError, match="is for AE, not VAE"):
        VAE.from_preset("ae_mnist")


@pytest.mark.parametrize("name", ["ae", "lsgan"])
def test_a_frozen_part_stays_frozen(name, tmp_path):
    model = MODELS[name]()

    def part(model):
        return model.encoder if name == "ae" else model.discriminator.layers[1]

    part(model).trainable = False
    model.compile()
    before = values_of(part(model).weights)
    model.fit(*lesson(model), batch_size=16, verbose=0)
    model.save(tmp_path / "m.keras")
    same = type(model).load(tmp_path / "m.keras")
    assert not part(same).trainable
    assert int(same.optimizers[0].iterations) == int(model.optimizers[0].iterations) == 3
    same.fit(*lesson(model), batch_size=16, verbose=0)
    for mine, theirs in zip(before, values_of(part(same).weights), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_quantized_model_uses_its_new_weights(tmp_path):
    model = AE((8, 8, 1), widths=[16], seed=0)
    model.compile()
    old = model.reconstruct(FLOATS)
    model.quantize("int8")
    called = keras.ops.convert_to_numpy(model(FLOATS))
    np.testing.assert_allclose(model.reconstruct(FLOATS), called, atol=1e-5)
    assert np.abs(called - old).max() > 1e-6
    model.save(tmp_path / "m.keras")
    np.testing.assert_allclose(AE.load(tmp_path / "m.keras").reconstruct(FLOATS), called, atol=1e-5)


def test_a_given_loss_scale_is_not_doubled():
    model = AE((8, 8, 1), widths=[8], dtype="mixed_float16")
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3)))
    assert isinstance(model.optimizer.inner_optimizer, keras.optimizers.Adam)
    model.fit(FLOATS, batch_size=8, verbose=0)
    assert int(model.optimizer.inner_optimizer.iterations) > 0


@pytest.mark.parametrize("kind", [AE, VAE, DCGAN, LSGAN, WGAN])
def test_the_seed_decides_the_weights(kind):
    first, same, other = (kind((8, 8, 1), 3, seed=seed) for seed in (5, 5, 6))
    for a, b in zip(values_of(first.weights), values_of(same.weights), strict=True):
        np.testing.assert_array_equal(a, b)
    pairs = zip(values_of(first.weights), values_of(other.weights), strict=True)
    assert any((a != b).any() for a, b in pairs)


def test_the_negative_elbo_does_not_depend_on_the_policy_of_the_moment():
    found = []
    for policy in ("float32", "mixed_bfloat16"):
        vae = VAE((8, 8, 1), widths=[16], likelihood="gaussian", dtype="float32", seed=0)
        keras.config.set_dtype_policy(policy)
        try:
            found.append(vae.negative_elbo(FLOATS))
        finally:
            keras.config.set_dtype_policy("float32")
    np.testing.assert_allclose(*found, rtol=1e-5)


FLOAT64 = """
import common, keras, numpy as np
keras.config.set_floatx("float64")
from tiny_models import MODELS, lesson
for name in ("ae_classifier", "vae", "conv_ae", "lsgan", "wgan", "classifier"):
    model = MODELS[name]()
    model.compile()
    history = model.fit(*lesson(model), batch_size=8, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values()), name
    if hasattr(model, "sample"):
        assert np.isfinite(model.sample(2, seed=0)).all()
"""


@pytest.mark.slow
def test_every_model_trains_with_a_global_float64():
    ran(FLOAT64)


def test_steps_count_exactly():
    tf = pytest.importorskip("tensorflow")
    model = AE((8, 8, 1), widths=[8], seed=0)
    model.compile(steps_per_execution=32)
    stream = tf.data.Dataset.from_tensor_slices(FLOATS).batch(4).repeat()
    model.fit(stream, steps_per_epoch=10, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 20
    assert len(model.predict(stream, steps=2, verbose=0)) == 8
    model.fit(FLOATS, batch_size=4, steps_per_epoch=5, epochs=3, verbose=0)
    assert int(model.optimizer.iterations) == 35
    part = model.evaluate(FLOATS, batch_size=4, steps=2, verbose=0)
    assert part == pytest.approx(model.evaluate(FLOATS[:8], verbose=0), rel=1e-4)


def test_arguments_stand_in_keras_order(capsys):
    model = AE((8, 8, 1), widths=[8], seed=0)
    model.compile()
    model.fit(FLOATS, None, 8, 2, 0, [])
    model.evaluate(FLOATS, None, 8, 0)
    assert capsys.readouterr().out == ""
    assert int(model.optimizer.iterations) == 6


def test_a_rate_that_is_reduced_stays_reduced():
    model = AE((8, 8, 1), widths=[8], seed=0)
    model.compile()
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=1e9)
    model.fit(FLOATS, epochs=4, callbacks=[plateau], verbose=0)
    assert rates_of(model.optimizers) == pytest.approx([2e-6], rel=1e-4)


@pytest.mark.parametrize("name", ["ae", "vae", "lsgan", "wgan"])
def test_what_diverges_in_finite_numbers_is_noticed_or_stays_small(name):
    model = MODELS[name]()
    optimizers = [keras.optimizers.Adam(1e6) for _ in range(2 if name in ("lsgan", "wgan") else 1)]
    model.compile(*optimizers)
    try:
        history = model.fit(*lesson(model), batch_size=8, epochs=6, verbose=0).history
    except FloatingPointError as error:
        assert "became" in str(error)
    else:
        assert max(np.abs(values).max() for values in history.values()) < 1e12


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "name", ["ae", "vae", "conv_ae", "conv_vae_map", "classifier", "dcgan", "lsgan", "wgan"]
)
def test_two_hundred_steps_in_16_bits_end_near_those_in_32(name, policy):
    found = {}
    for dtype in ("float32", policy):
        model = MODELS[name](dtype=dtype)
        model.compile(cosine_decay=False)
        images = lesson(model)
        size = 24 // model.batches_per_step
        history = model.fit(*images, batch_size=size, epochs=100, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())
        found[dtype] = history
    for metric in set(found["float32"]) & {"loss", "reconstruction_loss"}:
        exact, rounded = found["float32"][metric], found[policy][metric]
        assert rounded[-1] < rounded[0], metric
        # A tenth of what was learned.
        assert abs(rounded[-1] - exact[-1]) < 0.1 * (exact[0] - exact[-1]), metric
