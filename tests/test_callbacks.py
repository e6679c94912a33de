"""The film, the few lines and the clock of a training."""

from contextlib import contextmanager
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from common.callbacks import EpochLines, Film, Trace, TrainingClock


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
    assert lines[0].endswith("0 s: loss 0.25, val_loss 0.3333")


def test_the_clock_leaves_validation_and_other_callbacks_out(monkeypatch):
    now = [0.0]
    clock_of = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr("common.callbacks.time", clock_of)

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
