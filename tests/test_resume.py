"""A training that is stopped, in whatever way, goes on as if it had never stopped."""

import importlib.util
import os
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from tiny_models import MODELS, lesson

from common.datasets.lazy_arrays import SampledImages
from common.errors import InputError
from common.files import PARTIAL
from common.models import AE
from common.training.backend import to_device
from common.training.backup import NAME, read_backup
from common.training.guards import state_of, values_of

BACKENDS = [name for name in ("tensorflow", "jax") if importlib.util.find_spec(name)]
PUPILS = [
    *("ae", "lsgan"),
    *(pytest.param(n, marks=pytest.mark.slow) for n in ("vae_classifier", "wgan", "classifier")),
]
pytestmark = pytest.mark.usefixtures("without_xla")


class Stop(keras.callbacks.Callback):
    """Break off as an epoch begins, or press Ctrl-C before its second batch."""

    def __init__(self, epoch, within=False):
        super().__init__()
        self.epoch, self.within, self.now = epoch, within, -1

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and not self.within:
            raise RuntimeError("power cut")

    def on_train_batch_begin(self, batch, logs=None):
        if self.within and (self.now, batch) == (self.epoch, 1):
            os.kill(os.getpid(), signal.SIGINT)


def new(name, **options):
    keras.utils.set_random_seed(3)
    model = MODELS[name]()
    model.compile(steps_per_execution=1, **options)
    return model


def study(model, *callbacks, epochs=4, **options):
    """Train; callbacks may stop it."""
    size = 16 // model.batches_per_step
    return model.fit(
        *lesson(model), batch_size=size, epochs=epochs, verbose=0, callbacks=callbacks, **options
    )


def assert_same_state(first, second):
    for mine, theirs, variable in zip(
        values_of(state_of(first)), values_of(state_of(second)), state_of(first), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs, err_msg=variable.path)


@pytest.mark.parametrize("name", PUPILS)
def test_a_broken_off_training_goes_on_bit_for_bit(name, tmp_path):
    whole = new(name)
    history = study(whole)
    with pytest.raises(RuntimeError, match="power cut"):
        study(new(name), Stop(2), resume=tmp_path)
    again = new(name)
    resumed = study(again, resume=tmp_path)
    assert_same_state(whole, again)
    assert resumed.history == history.history
    assert resumed.epoch == [0, 1, 2, 3]
    # Once more: all is done, and comes back as it was.
    done = new(name)
    assert study(done, resume=tmp_path).history == history.history
    assert_same_state(whole, done)


@pytest.mark.parametrize("name", PUPILS)
def test_ctrl_c_within_an_epoch_loses_no_step(name, tmp_path, capfd):
    whole = new(name)
    history = study(whole)
    with pytest.raises(KeyboardInterrupt):
        study(new(name), Stop(2, within=True), resume=tmp_path)
    assert "Stopping after this step" in capfd.readouterr().err
    facts, _ = read_backup(tmp_path)
    assert (facts["epoch"], facts["calls"]) == (2, 2)
    again = new(name)
    assert study(again, resume=tmp_path).history == history.history
    assert_same_state(whole, again)


@pytest.mark.parametrize("name", PUPILS[:1])
def test_ctrl_c_within_a_validation_repeats_no_step(name, tmp_path):
    class Press(keras.callbacks.Callback):
        def on_test_batch_begin(self, batch, logs=None):
            if batch == 1 and press:
                os.kill(os.getpid(), signal.SIGINT)

    def learn(**options):
        model = new(name)
        images = lesson(model)[0]
        options |= {"validation_data": images, "validation_batch_size": 8}
        return model, study(model, Press(), epochs=2, **options).history

    press = False
    whole, history = learn()
    press = True
    with pytest.raises(KeyboardInterrupt):
        learn(resume=tmp_path)
    facts, _ = read_backup(tmp_path)
    assert (facts["epoch"], facts["calls"]) == (0, len(lesson(whole)[0]) // 16)
    press = False
    again, resumed = learn(resume=tmp_path)
    assert resumed == history
    assert_same_state(whole, again)


@pytest.mark.parametrize("decay", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PUPILS)
def test_what_is_saved_within_a_training_goes_on_as_the_training_did(name, decay, tmp_path):
    path = str(tmp_path / "epoch-{epoch}.keras")
    whole = new(name, cosine_decay=decay)
    study(whole, keras.callbacks.ModelCheckpoint(path))
    saved = type(whole).load(path.format(epoch=2))
    study(saved, initial_epoch=2)
    assert_same_state(whole, saved)


@pytest.mark.parametrize("name", PUPILS)
def test_backup_and_restore_of_keras_goes_on_bit_for_bit(name, tmp_path):
    backup = keras.callbacks.BackupAndRestore
    whole = new(name)
    study(whole)
    with pytest.raises(RuntimeError, match="power cut"):
        study(new(name), backup(str(tmp_path / "b")), Stop(2))
    again = new(name)
    assert study(again, backup(str(tmp_path / "b"))).epoch == [2, 3]
    assert_same_state(whole, again)


@pytest.mark.parametrize("within", [False, True])
def test_images_that_are_drawn_as_they_are_read_are_those_of_the_epoch(within, tmp_path):
    def images():
        return SampledImages(lesson(MODELS["ae"]())[0], seed=0)

    def learn(*callbacks, **options):
        model = new("ae")
        model.fit(images(), batch_size=16, epochs=4, verbose=0, callbacks=callbacks, **options)
        return model

    whole = learn()
    with pytest.raises(KeyboardInterrupt if within else RuntimeError):
        learn(Stop(2, within), resume=tmp_path)
    assert_same_state(whole, learn(resume=tmp_path))


@pytest.mark.skipif(to_device is None, reason="PyTorch takes its steps one by one")
def test_ctrl_c_between_chunks_loses_no_step(tmp_path, capfd):
    def learn(*callbacks, **options):
        model = MODELS["ae"]()
        model.compile(steps_per_execution=2)
        history = model.fit(
            *lesson(model), batch_size=8, epochs=4, verbose=0, callbacks=callbacks, **options
        )
        return model, history.history

    whole, history = learn()
    with pytest.raises(KeyboardInterrupt):
        learn(Stop(2, within=True), resume=tmp_path)
    assert read_backup(tmp_path)[0]["steps_per_execution"] == "chunks of 2"
    again, resumed = learn(resume=tmp_path)
    assert resumed == history
    assert_same_state(whole, again)


def test_a_second_training_in_the_same_folder_is_refused(tmp_path):
    class Second(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            with pytest.raises(InputError, match=f"Process {os.getpid()} uses"):
                study(new("ae"), resume=tmp_path)
            seen.append(epoch)

    seen = []
    study(new("ae"), Second(), resume=tmp_path, epochs=2)
    assert seen == [0, 1]


def test_other_images_are_another_training(tmp_path):
    images = lesson(MODELS["ae"]())[0]
    new("ae").fit(images, batch_size=16, verbose=0, resume=tmp_path)
    with pytest.raises(InputError, match="another training \\(content\\)"):
        new("ae").fit(255 - images, batch_size=16, verbose=0, resume=tmp_path)


def test_callbacks_remember_what_was_best(tmp_path):
    def callbacks():
        return (
            keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=1e9),
            keras.callbacks.EarlyStopping("loss", patience=4, min_delta=1e9),
        )

    whole = new("ae")
    history = study(whole, *callbacks(), epochs=9)
    assert len(history.epoch) == 5
    with pytest.raises(RuntimeError, match="power cut"):
        study(new("ae"), *callbacks(), Stop(3), epochs=9, resume=tmp_path)
    again = new("ae")
    assert study(again, *callbacks(), epochs=9, resume=tmp_path).history == history.history
    assert_same_state(whole, again)
    # It ended early, and stays so.
    done = new("ae")
    assert study(done, *callbacks(), epochs=9, resume=tmp_path).history == history.history


def test_the_order_of_images_is_a_function_of_the_seed_and_the_epoch():
    whole, late, both = (new("ae", cosine_decay=False) for _ in range(3))
    study(both, epochs=2)
    study(whole, epochs=1)
    for mine, theirs in zip(state_of(late), values_of(state_of(whole)), strict=True):
        mine.assign(theirs)
    study(late, initial_epoch=1, epochs=2)
    assert_same_state(both, late)


@pytest.mark.parametrize(
    ("change", "named"), [({"batch_size": 8}, "batch_size"), ({"count": 32}, "images")]
)
def test_the_backup_of_another_training_is_refused(change, named, tmp_path):
    study(new("ae"), epochs=1, resume=tmp_path)
    model = new("ae")
    images = lesson(model)[0][: change.get("count")]
    with pytest.raises(InputError, match=f"another training .*{named}"):
        model.fit(images, batch_size=change.get("batch_size", 16), verbose=0, resume=tmp_path)
    other = AE((12, 16, 3), 4, widths=(24, 16), seed=1)
    other.compile(steps_per_execution=1)
    with pytest.raises(InputError, match="latent_dim"):
        study(other, resume=tmp_path)
    with pytest.raises(InputError, match="learning_rate"):
        study(new("ae", optimizer=keras.optimizers.Adam(1e-4)), resume=tmp_path)


def test_what_a_killed_writer_left_goes_at_the_next_start(tmp_path):
    left = tmp_path / f"{PARTIAL}x-{NAME}"
    left.write_bytes(b"half")
    study(new("ae"), epochs=1, resume=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("damage", [b"", b"PK", b"not a zip", None])
def test_a_damaged_backup_is_refused(damage, tmp_path):
    study(new("ae"), epochs=1, resume=tmp_path)
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(InputError, match="is damaged"):
        study(new("ae"), resume=tmp_path)


def test_a_backup_that_cannot_be_written_costs_no_training(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("common.training.session.write_backup", full)
    with pytest.warns(UserWarning, match="No space left"):
        assert study(new("ae"), epochs=2, resume=tmp_path).epoch == [0, 1]


# Children of one process, so that the libraries are imported once. Each trains until it is killed.
KILLS = """
import os, random, signal, sys, time
import common
import keras, numpy as np
from tiny_models import MODELS, lesson
from common.training.backup import read_backup
from common.training.guards import state_of, values_of

name, kills, place = sys.argv[1], int(sys.argv[2]), sys.argv[3]

class Slow(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        with open(f"{place}/epoch.new", "w") as file:
            file.write(str(epoch))
        os.replace(f"{place}/epoch.new", f"{place}/epoch")  # whole, whenever the kill comes
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.01)

def train(folder, result):
    keras.utils.set_random_seed(3)
    model = MODELS[name]()
    model.compile()
    size = 8 // model.batches_per_step
    history = model.fit(*lesson(model), batch_size=size, epochs=30, verbose=0,
                        callbacks=[Slow()], resume=folder)
    assert len(history.epoch) == 30
    np.savez(result, *values_of(state_of(model)))

def start(*arguments):
    child = os.fork()
    if child == 0:
        try:
            train(*arguments)
        finally:
            os._exit(0)
    return child

began = time.monotonic()
os.waitpid(start(f"{place}/whole", f"{place}/whole.npz"), 0)
duration = time.monotonic() - began
expected = np.load(f"{place}/whole.npz")
chance, killed, trainings = random.Random(0), 0, 0
while killed < kills:
    folder, result = f"{place}/{trainings}", f"{place}/{trainings}.npz"
    while not os.path.exists(result):
        child = start(folder, result)
        ends = time.monotonic() + chance.uniform(0.3, 1.0) * duration
        while time.monotonic() < ends and not os.path.exists(result):
            time.sleep(0.005)
        if killed < kills and not os.path.exists(result):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            killed += 1
            if (found := read_backup(folder)) is not None:
                # At most the epoch it was in is repeated.
                assert found[0]["epoch"] >= int(open(f"{place}/epoch").read()), "epochs lost"
        else:
            os.waitpid(child, 0)
    found = np.load(result)
    assert all(np.array_equal(found[k], expected[k]) for k in expected.files), "other bits"
    trainings += 1
print(killed, "kills,", trainings, "trainings")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Only POSIX forks")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["ae", "vae", "dcgan", "wgan"])
def test_killed_at_any_moment_a_training_loses_at_most_its_epoch(name, backend, tmp_path):
    """Ten kills each; `ZOO_KILLS=50` for the long suite."""
    run = subprocess.run(
        [sys.executable, "-c", KILLS, name, os.environ.get("ZOO_KILLS", "10"), str(tmp_path)],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert "kills" in run.stdout
