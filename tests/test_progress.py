"""The few lines that a long training prints."""

import pytest

from common.training.progress import EpochLines


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
