"""What users of Keras do to a model works here, or is refused in a sentence."""

import os
import random
import subprocess
import sys

import keras
import numpy as np
import pytest
from tiny_models import MODELS, images_of, lesson, values_of

from common.errors import InputError
from common.metrics import KNOWN
from common.models import AE, DCGAN, LSGAN, VAE, WGAN
from common.models.gan import GAN
from common.training.rates import rates_of

pytestmark = pytest.mark.usefixtures("without_xla")

IMAGES, LABELS = images_of((8, 8, 1), 24)
FLOATS = (IMAGES / 255).astype("float32")


@keras.saving.register_keras_serializable("tests")
class MyVAE(VAE):
    """A subclass of one's own."""


def slow(*case):
    """A case of a test that CI runs."""
    return pytest.param(*case, marks=pytest.mark.slow)


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
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="needs torch_xla")
def test_an_exported_model_serves_what_a_call_gives(name, tmp_path):
    tf = pytest.importorskip("tensorflow")
    model = MODELS[name]()
    taken = images_of(model.image_shape, 4)[0] / np.float32(255)
    if name == "dcgan":
        taken = np.random.default_rng(0).standard_normal((4, 4), "float32")
    model.export(str(tmp_path), format="tf_saved_model", verbose=False)
    loaded = tf.saved_model.load(str(tmp_path))  # Its variables go with it.
    served = loaded.serve(taken)
    np.testing.assert_allclose(served, keras.ops.convert_to_numpy(model(taken)), atol=1e-5)


def test_a_schedule_and_a_decay_exclude_each_other():
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-3, 10, 0.5)
    with pytest.raises(InputError, match="follows a schedule"):
        MODELS["ae"]().compile(keras.optimizers.Adam(schedule), cosine_decay=True)


def test_a_file_keeps_how_a_model_was_compiled(tmp_path):
    model = MODELS["ae"]()
    model.compile(jit_compile=False, steps_per_execution=1)
    model.save(tmp_path / "m.keras")
    loaded = type(model).load(tmp_path / "m.keras")
    assert (loaded.jit_compile, loaded.steps_per_execution) == (False, 1)


def test_weights_that_are_damaged_or_not_finite_are_refused(tmp_path):
    path, model = tmp_path / "m.weights.h5", MODELS["ae"]()
    before = values_of(model.weights)
    model.save_weights(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="could not be read as weights"):
        model.load_weights(path)
    bad = MODELS["ae"]()
    bad.weights[0].assign(np.full(bad.weights[0].shape, np.nan))
    bad.save_weights(path)
    with pytest.raises(InputError, match="NaN or infinite"):
        model.load_weights(path)
    for mine, theirs in zip(values_of(model.weights), before, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_nan_before_a_validation_is_named_by_its_step():
    class Bad(AE):
        def compute_losses(self, images, labels, training):
            losses = super().compute_losses(images, labels, training)
            bad = keras.ops.equal(self.optimizer.iterations.value, 1)
            return losses | {"loss": keras.ops.where(bad, np.float32(np.nan), losses["loss"])}

    model = Bad((12, 16, 3), 3, widths=(8,), likelihood="gaussian")
    model.compile()
    data = images_of((12, 16, 3))[0]
    with pytest.raises(FloatingPointError, match="step 2 of the epoch loss"):
        model.fit(data, batch_size=16, verbose=0, validation_data=data)


def test_an_export_that_keras_cannot_do_is_refused(tmp_path):
    with pytest.raises(InputError, match="Keras cannot export to papyrus here"):
        MODELS["ae"]().export(str(tmp_path), format="papyrus")


@pytest.mark.parametrize("kind", [DCGAN, WGAN])
def test_one_optimizer_for_both_players_is_refused(kind):
    shared = keras.optimizers.Adam(1e-3)
    with pytest.raises(InputError):
        kind((8, 8, 1), 4, width=0.05).compile(shared, shared)


@pytest.mark.parametrize("scaled", [False, True])
def test_an_optimizer_of_another_model_is_refused(scaled):
    inner = keras.optimizers.Adam()
    AE((8, 8, 1), widths=[]).compile(inner)
    given = keras.optimizers.LossScaleOptimizer(inner) if scaled else inner
    with pytest.raises(InputError, match="The Adam given already belongs to other weights"):
        AE((8, 8, 1), widths=[]).compile(given)


def test_a_model_is_compiled_again_with_its_own_optimizer():
    model = AE((8, 8, 1), widths=[], dtype="mixed_float16")
    mine = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(), initial_scale=1.0)
    for steps in (3, 6):
        model.compile(mine)
        model.fit(FLOATS, batch_size=8, verbose=0)
        assert int(mine.iterations) == steps


MIRRORED = """
import common, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tiny_models import MODELS
for name in ("ae", "lsgan"):
    try:
        with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
            MODELS[name]().compile()
    except common.errors.InputError as error:
        print(error)
"""


@pytest.mark.slow
def test_a_strategy_over_devices_is_refused():
    pytest.importorskip("tensorflow")
    said = ran(MIRRORED, KERAS_BACKEND="tensorflow")
    assert said.count("do not train under tf.distribute's MirroredStrategy") == 2


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


@pytest.mark.parametrize("name", ["classifier", "lsgan"])
def test_a_network_may_be_frozen_as_a_whole(name):
    model = MODELS[name]()
    part = model.network if name == "classifier" else model.discriminator
    part.trainable = False
    model.compile()
    before = values_of(part.trainable_weights + part.non_trainable_weights)
    model.fit(*lesson(model), batch_size=16, verbose=0)
    for mine, theirs in zip(before, values_of(part.weights), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert [int(o.iterations) for o in model.optimizers] == (
        [0] if name == "classifier" else [3, 0]
    )


def test_a_part_that_is_frozen_after_compile_asks_for_it_again():
    model = AE((8, 8, 1), widths=[8])
    model.compile()
    model.fit(FLOATS, verbose=0)
    model.encoder.trainable = False
    with pytest.raises(InputError, match=r"after compile\(\): call compile\(\) again"):
        model.fit(FLOATS, verbose=0)
    model.compile()
    before = values_of(model.encoder.weights)
    model.fit(FLOATS, verbose=0)
    for mine, theirs in zip(before, values_of(model.encoder.weights), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_layers_within_a_frozen_network_may_be_free(tmp_path):
    model = AE((8, 8, 1), widths=[8])
    model.encoder.trainable = False
    model.encoder.layers[-1].trainable = True
    model.compile()
    model.save(tmp_path / "m.keras")
    same = AE.load(tmp_path / "m.keras")
    flags = [[x.trainable for x in m.encoder.layers] for m in (model, same)]
    assert flags[0] == flags[1] == [False, False, False, True]
    assert not same.encoder.trainable
    assert len(same.trainable_variables) == len(model.trainable_variables) == 6


def test_critic_layers_that_are_freed_are_clipped():
    z, images = keras.Input((3,)), keras.Input((8, 8, 1))
    generator = keras.Model(z, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
    hidden = keras.layers.Dense(4, trainable=False)
    critic = keras.Model(images, keras.layers.Dense(1)(hidden(keras.layers.Flatten()(images))))
    model = WGAN((8, 8, 1), generator=generator, discriminator=critic, clip_value=0.01)
    assert np.abs(values_of([hidden.kernel])).max() > 0.1
    hidden.trainable = True
    model.compile()
    model.fit(FLOATS, batch_size=4, verbose=0)
    assert np.abs(values_of([hidden.kernel])).max() <= 0.01 * (1 + 1e-6)


def test_modes_of_quantization_whose_files_would_not_load_are_refused():
    with pytest.raises(InputError, match="'int4'; these models are quantized to \"int8\" only"):
        AE((8, 8, 1), widths=[8]).quantize("int4")


@pytest.mark.slow
def test_a_quantized_vae_trains_on_and_measures_itself_anew(tmp_path):
    model = VAE((8, 8, 1), widths=[16], seed=0)
    model.compile()
    model.fit(FLOATS, batch_size=8, verbose=0)
    before = model.negative_elbo(FLOATS)
    model.quantize("int8")
    after = model.negative_elbo(FLOATS)
    assert 1e-4 < np.abs(after - before).max() < 1
    model.fit(FLOATS, batch_size=8, verbose=0)
    assert int(model.optimizer.iterations) == 3
    model.save(tmp_path / "m.keras")
    found = VAE.load(tmp_path / "m.keras").negative_elbo(FLOATS)
    np.testing.assert_allclose(found, model.negative_elbo(FLOATS), rtol=1e-5)


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


@pytest.mark.parametrize("name", ["vae_classifier", "dcgan", "classifier"])
def test_only_the_seed_decides_weights_and_dropout(name):
    models = []
    for chance in (1, 2):
        keras.utils.set_random_seed(chance)
        before = random.getstate()
        models.append(MODELS[name]())
        assert random.getstate() == before
    for mine, theirs in zip(*(values_of(m.variables) for m in models), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_models_without_a_seed_differ():
    first, second = (values_of(AE((8, 8, 1), widths=[]).weights) for _ in range(2))
    assert (first[0] != second[0]).any()


def dtypes(values):
    """The names of all dtypes in a structure of tensors."""
    return {keras.backend.standardize_dtype(v.dtype) for v in keras.tree.flatten(values)}


def outputs_and_losses(model):
    """Whatever a model's networks give in training, and its losses."""
    images, *labels = lesson(model, 8)
    images = model.preprocess(images)
    if isinstance(model, GAN):
        fakes = model.generated(model.sample_latent(8), training=True)
        scores = model.scores(fakes, training=True)
        losses = model.discriminator_metrics(model.scores(images, training=True), scores)
        return [
            fakes,
            scores,
            losses,
            model.generator_loss(scores),
            model(np.zeros((2, model.latent_dim))),
        ]
    found = [model.compute_losses(images, *(labels or [None]), training=True), model(images)]
    if isinstance(model, AE):
        codes = model.encoded(images, training=True)
        found += [codes, model.decoded(keras.tree.flatten(codes)[0], training=True)]
    return found


@pytest.mark.parametrize("policy", ["mixed_float16", slow("mixed_bfloat16"), slow("float64")])
@pytest.mark.parametrize("name", [n if n in ("ae", "hinge") else slow(n) for n in MODELS])
def test_outputs_and_losses_are_float32_whatever_the_policy(name, policy):
    model = MODELS[name](dtype=keras.DTypePolicy(policy))
    assert dtypes(outputs_and_losses(model)) == {"float32"}


@pytest.mark.parametrize("policy", ["mixed_float16", slow("float64")])
def test_own_networks_may_end_in_any_type(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        shape, z = keras.Input((8, 8, 1)), keras.Input((3,))
        flat = keras.layers.Flatten()(shape)
        code = [keras.layers.Dense(3)(flat) for _ in range(2)]
        decoder = keras.Model(z, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
        critic = keras.Model(shape, keras.layers.Dense(1)(flat))
    finally:
        keras.config.set_dtype_policy("float32")
    vae = VAE((8, 8, 1), encoder=keras.Model(shape, code), decoder=decoder)
    gan = LSGAN((8, 8, 1), generator=decoder, discriminator=critic)
    for model in (vae, gan):
        assert dtypes(outputs_and_losses(model)) == {"float32"}
        model.compile()
        history = model.fit(FLOATS, batch_size=8, verbose=0).history
        assert all(np.isfinite(values).all() for values in history.values())
        assert model.sample(2).dtype == np.float32
    assert vae.encode(FLOATS).dtype == vae.reconstruct(FLOATS).dtype == np.float32
    assert np.isfinite(vae.negative_elbo(FLOATS)).all()


@pytest.mark.parametrize(
    ("name", "names", "steps_in_an_epoch"),
    [
        ("ae_classifier", ["loss_scale"], [3]),
        slow("wgan", ["generator_loss_scale", "critic_loss_scale"], [1, 2]),
    ],
)
def test_the_scale_of_a_loss_in_float16_is_in_the_log(name, names, steps_in_an_epoch):
    model = MODELS[name](dtype="mixed_float16")
    optimizers = [
        keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.0), initial_scale=4.0, dynamic_growth_steps=steps
        )
        for steps in steps_in_an_epoch
    ]
    model.compile(*optimizers)
    history = model.fit(*lesson(model), batch_size=16, epochs=2, verbose=0).history
    # Each doubles once an epoch.
    assert [history[n] for n in names] == [[8.0, 16.0]] * len(names)
    assert {KNOWN[n].kind for n in names} == {"scale"}


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("ae", ["gradient_norm"]),
        ("lsgan", ["generator_gradient_norm", "discriminator_gradient_norm"]),
    ],
)
def test_the_norm_of_the_gradients_is_in_the_log(name, names, precision, tmp_path):
    model = MODELS[name](dtype=precision)
    rate = 1 / 64
    model.compile(*(keras.optimizers.SGD(rate) for _ in names), gradient_norms=True)
    parts = model.weights_moved
    before = [values_of(part) for part in parts]
    images = lesson(model)
    history = model.fit(*images, batch_size=48, verbose=0, validation_data=images).history
    for norm, part, start in zip(names, parts, before, strict=True):
        moved = [now - then for now, then in zip(values_of(part), start, strict=True)]
        expected = np.sqrt(sum(np.sum(m.astype("float64") ** 2) for m in moved)) / rate
        np.testing.assert_allclose(history[norm], [expected], 2e-3)
        assert f"val_{norm}" not in history
    model.save(tmp_path / "model.keras")
    again = type(model).load(tmp_path / "model.keras").fit(*images, batch_size=48, verbose=0)
    assert all(np.isfinite(again.history[norm]).all() for norm in names)
    assert {KNOWN[n].kind for n in names} == {"norm"}


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
    print(name)
"""


@pytest.mark.slow
def test_every_model_trains_with_a_global_float64():
    assert len(ran(FLOAT64).split()) == 6


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="one step per call on PyTorch")
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
