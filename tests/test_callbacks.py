"""The film, the bar, the few lines and the clock of a training."""

import time
from contextlib import contextmanager
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny_models import QUICK, images_of, vae

from common.callbacks import EpochLines, Film, ProgressBar, Trace, TrainingClock, progress
from common.callbacks.progress import duration, headline, say, telling
from common.metrics import KNOWN, MetricKind
from common.training import session


@pytest.mark.parametrize(
    ("epochs", "shown"),
    [(1, [1]), (3, [1, 2, 3]), (5, [1, 2, 3, 4, 5]), (401, [1, 101, 201, 301, 401])],
)
def test_epochs_are_shown_evenly(epochs, shown, capsys):
    callback = EpochLines(lines=5)
    callback.set_params({"epochs": epochs})
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_end(epoch, {"loss": 0.25, "val_loss": 1 / 3})
    lines = capsys.readouterr().out.splitlines()
    assert [int(line.split("/")[0].removeprefix("epoch ")) for line in lines] == shown
    assert lines[0].endswith("0 s: loss 0.25, validation loss 0.3333")


@pytest.fixture
def clock(monkeypatch):
    """A clock to set: `clock[0]` is the time in seconds."""
    now = [100.0]
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def terminal(monkeypatch):
    """Whatever is printed goes to a terminal of 80 columns."""
    monkeypatch.setattr(
        progress, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    )
    monkeypatch.setenv("COLUMNS", "80")


def train(callback, clock, epochs, calls, steps, first=10.0, per_call=1.0, validation=0.0):
    """Let a callback see a training whose first call and first validation are compiled.

    `calls` are the numbers that Keras gives the batch callbacks of an epoch.
    """
    callback.set_params({"epochs": epochs, "steps": steps})
    callback.on_train_begin()
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        for call in calls:
            compiled = epoch == 0 and call == calls[0]
            clock[0] += first if compiled else per_call
            callback.on_train_batch_end(call, {"loss": 200.0 - epoch})
            yield epoch, call
        clock[0] += validation + (20 if validation and epoch == 0 else 0)
        callback.on_epoch_end(epoch, {"loss": 200.0 - epoch, "val_loss": 250.0})
        yield epoch, None
    callback.on_train_end()


def drawn(capsys):
    """The bars that were drawn over each other, and what else was printed."""
    return [line for line in capsys.readouterr().out.split("\r\x1b[K") if line]


def test_a_bar_counts_epochs_and_the_time_of_the_whole_training(clock, terminal, capsys):
    bar, left = ProgressBar("test"), []
    for _ in train(bar, clock, 10, range(4), 4, validation=2.0):
        left.append(bar.left)
    lines = drawn(capsys)
    assert lines[0] == "Epoch 1/10 [>.........] preparing the first step"
    # The first call, of 10 s, is not counted: 9.25 epochs of four steps of 1 s are left.
    assert lines[3] == "Epoch 1/10 [>.........] about 37 s left, loss 200"
    # Nor is the first validation, of 22 s; the later ones are.
    assert left[-6] == pytest.approx(6, abs=1) and left[-1] == 0
    known = [seconds for seconds in left if seconds is not None]
    assert min(known) >= 0 and max(known) < 65
    took = duration(clock[0] - 100)
    assert lines[-1] == f"Epoch 10/10 [==========] {took}, loss 191, test loss 250\n"
    assert "".join(lines).count("\n") == 1 and max(map(len, lines)) <= 80


def test_steps_that_are_fused_do_not_pass_the_end(clock, terminal, capsys):
    # 22 steps, 32 a call: TensorFlow counts 31 as the last.
    bar, done = ProgressBar(), []
    for _ in train(bar, clock, 3, [31], 22):
        done.append(bar.done)
        assert bar.left is None or bar.left >= 0
    assert done == [1, 1, 2, 2, 3, 3]
    for line in drawn(capsys):
        assert line.split()[1] in ("1/3", "2/3", "3/3")


def test_steps_taken_before_a_stop_do_not_count_as_quick(clock):
    lines = EpochLines()
    lines.set_model(SimpleNamespace(session=SimpleNamespace(calls=0, skipped=90)))
    lines.set_params({"epochs": 1, "steps": 100})
    lines.on_train_begin()
    lines.on_epoch_begin(0)
    for call in range(95):
        lines.trained.session.calls += 1
        clock[0] += 0.001 if call < 90 else 2.0
        lines.on_train_batch_end(call)
    assert lines.left == pytest.approx(10)


@pytest.mark.parametrize("kind", [ProgressBar, EpochLines])
def test_the_progress_of_a_real_training_leaves_it_alone(kind, monkeypatch, capsys):
    monkeypatch.setattr(progress, "REDRAW", 0.0)
    for name in ("SECONDS_BETWEEN_CHECKS", "FIRST_BACKUP"):
        monkeypatch.setattr(session, name, 0.0)
    weights = []
    for callbacks in ([kind()], []):
        keras.utils.set_random_seed(0)
        model = vae()
        model.compile(**QUICK)
        images = images_of(model.image_shape)[0]
        model.fit(images, batch_size=4, epochs=3, callbacks=callbacks, verbose=0)
        weights.append(model.get_weights())
    for with_progress, without in zip(*weights, strict=True):
        np.testing.assert_allclose(with_progress, without, 1e-5, 1e-6)
    assert "poch 3/3" in capsys.readouterr().out


def test_a_source_of_unknown_length_is_timed_by_the_epoch(clock):
    lines = EpochLines()
    for _ in train(lines, clock, 4, range(5), None):
        pass
    assert lines.left == 0 and lines.done == 4


def test_a_long_first_epoch_says_how_long_all_take_and_short_ones_only_their_lines(clock, capsys):
    for _ in train(EpochLines(), clock, 3, range(100), 100, per_call=2.0):
        pass
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "About 10 min to go"
    assert [line.split(",")[0] for line in lines[1:]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines[2] == "epoch 2/3, 7 min, about 3 min left: loss 199, validation loss 250"
    for _ in train(EpochLines(), clock, 3, range(3), 3):
        pass
    assert "About" not in capsys.readouterr().out


def test_two_or_three_figures_are_enough():
    names = ["kl_loss", "loss", "reconstruction_loss", "val_kl_loss", "val_loss"]
    assert headline(names, KNOWN) == ["loss", "val_loss"]
    names = ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert headline(names, KNOWN) == ["val_loss", "val_accuracy"]
    names = ["d_fake", "d_real", "discriminator_loss", "generator_loss"]
    assert headline(names, KNOWN) == ["d_real", "d_fake"]
    assert headline(["critic_distance", "critic_loss"], KNOWN) == ["critic_distance"]
    own = {"f": MetricKind("score", "fake"), "r": MetricKind("score", "real")}
    assert headline(["f", "g", "r"], own) == ["r", "f"]
    assert headline(["a", "b", "c", "d"], {}) == ["a", "b", "c"]


def test_a_line_takes_the_place_of_the_bar_on_a_terminal_only(terminal, capsys, monkeypatch):
    say("five")
    assert capsys.readouterr().out == "\r\x1b[Kfive\n"
    monkeypatch.setattr(progress.sys.stdout, "isatty", lambda: False)
    say("five")
    assert capsys.readouterr().out == "five\n"


def test_what_takes_long_is_said_and_what_does_not_is_not(monkeypatch, capsys):
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    with telling("Counting sheep"):
        time.sleep(0.3)
    with telling("Counting wolves"):
        pass
    time.sleep(0.1)
    assert capsys.readouterr().out == "Counting sheep …\n"


@pytest.mark.parametrize(
    ("seconds", "said"), [(40.4, "40 s"), (89, "89 s"), (840, "14 min"), (9000, "2.5 h")]
)
def test_a_time_is_in_the_largest_unit_that_fits(seconds, said):
    assert duration(seconds) == said


def test_the_clock_leaves_validation_and_other_callbacks_out(monkeypatch):
    now = [0.0]
    clock_of = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("common.callbacks.timing.time", clock_of)

    class Slow(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now[0] += 1

        def on_test_begin(self, logs=None):
            now[0] += 10

        def on_epoch_end(self, epoch, logs=None):
            now[0] += 100

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.zeros((8, 2), "float32"), np.zeros((8, 1), "float32")
    clock = TrainingClock()
    model.fit(x, y, epochs=2, validation_data=(x, y), callbacks=[clock, Slow()], verbose=0)
    assert clock.seconds == 2


@pytest.mark.parametrize(
    ("epochs", "frames", "kept"), [(1, 4, [1]), (3, 4, [1, 2, 3]), (9, 3, [1, 5, 9])]
)
def test_a_film_keeps_evenly_spaced_epochs(epochs, frames, kept):
    now = []
    film = Film(lambda: np.full((1, 2, 2, 1), now[-1]), epochs, frames)
    for epoch in range(epochs):
        now.append(epoch)
        film.on_epoch_end(epoch)
    assert {number: images[0, 0, 0, 0] for number, images in film.frames.items()} == {
        number: number - 1 for number in kept
    }


def test_a_trace_covers_some_calls_after_those_that_compile():
    events = []

    @contextmanager
    def traced(folder):
        events.append(f"begin {folder}")
        yield
        events.append("end")

    trace = Trace(traced, "there")
    for call in range(20):
        trace.on_train_batch_begin(call)
        events.append(call)
        trace.on_train_batch_end(call)
    trace.on_train_end()
    assert events == [*range(3), "begin there", *range(3, 12), "end", *range(12, 20)]
    events.clear()
    # One that ends early is whole.
    trace = Trace(traced, "there")
    for call in range(4):
        trace.on_train_batch_begin(call)
        trace.on_train_batch_end(call)
    trace.on_train_end()
    assert events == ["begin there", "end"]
