"""The look at a generator's modes while it trains: when it is taken, what it counts and says."""

from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from tiny_models import QUICK, images_of, wgan

from common.callbacks import ModeWatcher
from common.commands.verifier import Verifier, mode_watchers
from common.errors import InputError
from common.evaluation.diagnosis import HELP
from common.metrics import MetricKind

NAMES = ("dark", "middle", "bright")


def brightness(images):
    """Three classes of images by their mean."""
    return np.digitize(images.mean(axis=(1, 2, 3)), [0.35, 0.65])


class Painter:
    """Draws more and more bright images; `seeds` are those it was asked for."""

    def __init__(self):
        self.epochs, self.seeds = 0, []

    def sample(self, n, seed=None):
        self.seeds.append(seed)
        levels = np.where(np.arange(n) < 10 * self.epochs, 0.9, 0.1)
        return np.broadcast_to(levels[:, None, None, None], (n, 4, 4, 1))


def watch(epochs, **options):
    watcher, painter = ModeWatcher(brightness, NAMES, **options), Painter()
    watcher.set_model(painter)
    watcher.set_params({"epochs": epochs})
    for epoch in range(epochs):
        painter.epochs = epoch + 1
        watcher.on_epoch_end(epoch, {"d_real": 0.9, "d_fake": 0.3})
    return watcher, painter


@pytest.mark.parametrize(
    ("epochs", "every", "looked"),
    [(3, 1, [1, 2, 3]), (6, 2, [2, 4, 6]), (7, 3, [3, 6, 7]), (2, 5, [2])],
)
def test_it_looks_every_so_often_and_at_the_end(epochs, every, looked):
    watcher, painter = watch(epochs, samples=100, every=every)
    assert list(watcher.counts) == looked
    assert painter.seeds == [0] * len(looked)
    for epoch, counts in watcher.counts.items():
        assert counts.tolist() == [100 - 10 * epoch, 0, 10 * epoch]


def test_it_says_what_it_sees_in_one_line_a_look(capsys):
    watch(2, samples=100)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("After epoch 1: 2 of 3 modes in 100 samples") and "middle" in first
    assert second.startswith("After epoch 2:")
    assert second.endswith("D(real) 0.90, D(fake) 0.30: both players learn.")


def test_epochs_between_the_looks_count_for_the_balance(capsys):
    watcher = ModeWatcher(brightness, NAMES, 100, every=3)
    watcher.set_model(Painter())
    watcher.set_params({"epochs": 3})
    for epoch in range(3):
        watcher.on_epoch_end(epoch, {"d_real": 0.95, "d_fake": 0.01})
    (line,) = capsys.readouterr().out.splitlines()
    assert "the generator has stalled" in line


def test_a_collapse_is_no_news_before_a_fifth_of_the_training(capsys):
    watch(20, samples=100)
    lines = capsys.readouterr().out.splitlines()
    assert all("too early to judge" in line and "--pack" not in line for line in lines[:3])
    assert all(HELP in line for line in lines[3:9])


def test_nor_is_it_before_some_hundred_steps(capsys):
    watcher, painter = ModeWatcher(brightness, NAMES, 100), Painter()
    painter.optimizer = SimpleNamespace(generator=SimpleNamespace(iterations=499))
    watcher.set_model(painter)
    watcher.set_params({"epochs": 1})
    watcher.on_epoch_end(0, {})
    assert "too early" in capsys.readouterr().out
    painter.optimizer.generator.iterations = 500
    watcher.on_epoch_end(0, {})
    assert HELP in capsys.readouterr().out


@pytest.mark.parametrize(
    ("logs", "kinds", "words"),
    [
        ({"g": 2.0, "f": 0.5}, {"g": MetricKind("player loss")}, "Last epoch: g 2."),
        ({"g": 2.0}, {"other": MetricKind("score", "real")}, "No metric says"),
        ({"g": 2.0}, None, "No metric says"),
        ({}, None, "in 20 samples"),
    ],
    ids=["a loss", "others", "no kinds", "no metrics"],
)
def test_metrics_of_any_name_can_be_watched(logs, kinds, words, capsys):
    watcher, painter = ModeWatcher(brightness, NAMES, samples=20), Painter()
    if kinds is not None:
        painter.metric_kinds = kinds
    watcher.set_model(painter)
    watcher.set_params({"epochs": 1})
    watcher.on_epoch_end(0, logs)
    assert words in capsys.readouterr().out


def test_it_watches_a_training_and_leaves_it_as_it_is(capsys):
    weights = []
    for watched in (True, False):
        keras.utils.set_random_seed(0)
        model = wgan()  # without dropout, whose noise is PyTorch's global one
        watcher = ModeWatcher(brightness, NAMES, samples=20)
        model.compile(**QUICK)
        callbacks = [watcher] if watched else []
        images = images_of(model.image_shape)[0]
        model.fit(images, batch_size=12, epochs=2, callbacks=callbacks, verbose=0)
        weights.append(model.get_weights())
        if watched:
            drawn = np.bincount(brightness(model.sample(20, seed=0)), minlength=3)
            np.testing.assert_array_equal(watcher.counts[2], drawn)
            assert capsys.readouterr().out.count("After epoch") == 2
    for with_watcher, without in zip(*weights, strict=True):
        np.testing.assert_allclose(with_watcher, without, 1e-5, 1e-6)


def test_it_does_not_look_at_a_training_that_diverged(capsys):
    def classify(images):
        assert np.isfinite(images).all()
        return brightness(images)

    model = wgan()
    ruinous = [keras.optimizers.SGD(float("inf")) for _ in range(2)]
    model.compile(*ruinous, cosine_decay=False, **QUICK)
    before = model.get_weights()
    watcher = ModeWatcher(classify, NAMES, samples=20)
    with pytest.raises(FloatingPointError, match=r"that it began with.*smaller learning rate"):
        images = images_of(model.image_shape)[0]
        model.fit(images, batch_size=12, epochs=4, callbacks=[watcher], verbose=0)
    assert not watcher.counts
    for start, end in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(start, end)


@pytest.mark.parametrize(("modes", "needed"), [(10, 22), (1000, 6905)])
def test_too_few_samples_are_refused_with_the_number_needed(modes, needed):
    names = [str(mode) for mode in range(modes)]
    assert ModeWatcher(brightness, names, needed).samples == needed
    with pytest.raises(InputError, match=rf"{needed - 1} samples .* {modes} modes; .*{needed}\."):
        ModeWatcher(brightness, names, needed - 1)


def test_a_net_that_is_not_trained_yet_does_not_hold_up_the_training(capsys):
    def find():
        raise AssertionError("it is trained after the model")

    later = Verifier(find, False, 0.8, NAMES, np.arange(3))
    assert mode_watchers(later, epochs=20) == []
    (line,) = capsys.readouterr().out.splitlines()
    assert "not watched" in line
    (watcher,) = mode_watchers(replace(later, ready=True), epochs=20)
    assert watcher.every == 2
    assert mode_watchers(None, epochs=20) == []
    assert capsys.readouterr().out == ""
