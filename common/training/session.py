"""What happens around the steps of a training: stopping, divergence, backups, going on."""

import functools
import json
import math
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from common.errors import InputError
from common.files import remove_partial
from common.training.backup import in_use, memory_of, read_backup, remind, write_backup
from common.training.failures import ran_out_of_memory
from common.training.guards import Divergence, StopSignals, state_of, values_of
from common.training.precision import LossScales
from common.training.rates import CosineDecay, rates_between_epochs

SECONDS_BETWEEN_CHECKS = 1.0
# Seconds between backups within an epoch; more if they would take over this share of the time.
FIRST_BACKUP = 30.0
STEP_SHARE = 0.01
# The end of an epoch is saved, unless the state is large, the last backup is younger than
# `LONGEST_LOSS` seconds, and saving would take more than this share of the time.
SMALL_STATE = 1_000_000  # numbers
LONGEST_LOSS = 1.0
EPOCH_SHARE = 0.02


class Session(keras.callbacks.Callback):
    """One training; the model's train function asks it before and after every call.

    As a callback it is the last, so that the others have begun, or ended an epoch, before.

    Args:
        trained: the model.
        folder: where the state is kept for `resume`, or None.
        begin_epoch: called with each epoch's number and the seeds of its order, or None.
        decay: of the learning rates, or None.
        callbacks: the user's.
        data: what the data are, as plain values; a backup of other data is refused.
        steps_per_call: of the train function, and whether they are chunks.
    """

    params: dict[str, Any]  # set by Keras

    def __init__(
        self,
        trained: Any,
        folder: str | Path | None,
        begin_epoch: Callable[..., None] | None,
        decay: CosineDecay | None,
        callbacks: Sequence[keras.callbacks.Callback],
        data: dict[str, Any],
        steps_per_call: int | str,
    ):
        super().__init__()
        self.trained, self.folder = trained, None if folder is None else Path(folder)
        self.begin_epoch, self.decay = begin_epoch, decay
        self.divergence, self.history = Divergence(), keras.callbacks.History()
        self.callbacks = [*callbacks, self.history]
        self.data, self.steps_per_call = data, steps_per_call
        self.signals = StopSignals(all_signals=folder is not None)
        self.epochs_done = self.calls = self.skipped = 0
        self.metrics: list[np.ndarray] = []
        self.saved = self.checked = time.monotonic()
        self.saving = 0.0
        self.trains = False

    @functools.cached_property
    def origin(self) -> str:
        """What a backup is of, as JSON."""
        # Only where there is a folder: to take a config apart Keras imports TensorFlow.
        config = {k: v for k, v in self.trained.get_config().items() if k != "name"}
        facts = {"class": type(self.trained).__name__, **config, **self.data}
        return json.dumps(facts, default=str)

    def run(self, fit: Callable, **arguments: Any) -> keras.callbacks.History:
        """Train by Keras's `fit`, from the backup if there is one.

        Raises:
            FloatingPointError: the training diverged; the weights are those of a good epoch.
        """
        model = self.trained
        model._initial_epoch = None  # An earlier BackupAndRestore has left its own.
        model.undo_decay()
        self.rates = rates_between_epochs(model)
        ours = [self.divergence, *filter(None, [self.decay]), LossScales()]
        try:
            with in_use(self.folder), self.signals:
                fit(callbacks=[*ours, *self.callbacks, self], **arguments)
                self._stop_if_asked()
        except FloatingPointError as error:
            raise FloatingPointError(
                f"Training stopped: {error}. The weights are {self.divergence.restore(model)}. Try "
                "a smaller learning rate, or float32 or mixed_bfloat16 in place of mixed_float16."
            ) from None
        except Exception as error:
            if not ran_out_of_memory(error):
                raise
            raise InputError(
                "A training step does not fit into the memory of the device; lower batch_size, or "
                "take smaller networks or images."
            ) from error
        finally:
            model.session = None
            model.undo_decay()
        return self.history

    def on_train_begin(self, logs: dict | None = None) -> None:
        if self.folder is None:
            return
        remove_partial(self.folder)
        found = read_backup(self.folder)
        if found is None:
            return
        facts, values = found
        self._check(facts, values)
        for variable, value in zip(state_of(self.trained), values, strict=True):
            variable.assign(value)
        self.metrics = values[len(values) - len(self.trained.metrics_variables) :]
        self.trained.undecayed_rates = facts["undecayed_rates"]
        self.trained.undo_decay()
        self.trained.order = facts["order"]
        self.rates = facts.get("rates", [self.rates])[0]
        memories = facts["callbacks"]
        for callback in self.callbacks:
            if own := [m for m in memories if m[0] == type(callback).__name__]:
                memories.remove(own[0])
                remind(callback, own[0][1])
        self.skipped, self.epochs_done = facts["calls"], facts["epoch"]
        over = facts["over"] or self.epochs_done >= self.params["epochs"]
        self.trained._initial_epoch = self.params["epochs"] if over else self.epochs_done

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs_done, self.calls, self.checked, self.trains = epoch, 0, 0.0, True
        if self.skipped:  # Keras has reset them.
            self._give_metrics_back()
        if self.decay is not None:
            self.decay.after_all_begin()
        if self.begin_epoch is not None:
            seed, fits = self.trained.order
            self.begin_epoch(epoch, *((seed,) if fits == 1 else (seed, fits)))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.epochs_done, self.calls, self.skipped = epoch + 1, 0, 0
        if self.decay is not None:
            self.decay.after_all_end()
        size = sum(math.prod(variable.shape) for variable in state_of(self.trained))
        waited = time.monotonic() - self.saved
        if size < SMALL_STATE or waited > min(LONGEST_LOSS, self.saving / EPOCH_SHARE):
            self._save()

    def on_test_begin(self, logs: dict | None = None) -> None:
        if self.trains:
            self.metrics = values_of(self.trained.metrics_variables)

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.trains and self.signals.asked is not None:
            self._give_metrics_back()  # The validation starts again.
            self._save()
            self.signals.stop()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self.trains:
            self._save(over=self.trained.stop_training)

    def skips(self) -> bool:
        """Whether the next call's steps were taken before this training stopped."""
        skips = self.calls < self.skipped
        self.calls += skips
        return skips

    def is_due(self) -> bool:
        """Count a call; whether `act` has something to do, for which variables must be current."""
        self.calls += 1
        now = time.monotonic()
        return (
            self.signals.asked is not None
            or now - self.checked > SECONDS_BETWEEN_CHECKS
            or self._backup_is_due(now)
        )

    def act(self) -> None:
        """Between two steps: look for NaN, save the state, stop if asked to."""
        self.checked = time.monotonic()
        self.divergence.check()
        if self._backup_is_due(self.checked) or self.signals.asked is not None:
            self._save()
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self.signals.asked is not None:
            self.signals.stop()

    def _backup_is_due(self, now: float) -> bool:
        pause = max(FIRST_BACKUP, self.saving / STEP_SHARE)
        return self.folder is not None and now - self.saved > pause

    def _give_metrics_back(self) -> None:
        # Of Keras's `model`, which is up to date on JAX too.
        for variable, value in zip(self.model.metrics_variables, self.metrics, strict=True):
            variable.assign(value)

    def _save(self, over: bool = False) -> None:
        if self.folder is None:
            return
        started = time.monotonic()
        facts = {
            "origin": self.origin,
            "epoch": self.epochs_done,
            "calls": self.calls,
            "steps_per_execution": self.steps_per_call,
            "over": over,
            "order": self.trained.order,
            "undecayed_rates": self.trained.undecayed_rates,
            "rates": [self.rates, rates_between_epochs(self.trained)],
            "callbacks": [[type(c).__name__, memory_of(c)] for c in self.callbacks],
        }
        try:
            write_backup(self.folder, facts, values_of(state_of(self.trained)))
        except OSError as error:
            # The training is worth more than its backup, and the last one is still whole.
            warnings.warn(
                f"No backup could be written to {self.folder} ({error}); the training goes on.",
                stacklevel=2,
            )
        self.saved = time.monotonic()
        self.saving = self.saved - started

    def _check(self, facts: dict[str, Any], values: Sequence[np.ndarray]) -> None:
        """Refuse the backup of another training."""
        theirs, ours = json.loads(facts["origin"]), json.loads(self.origin)
        names = [k for k in sorted(theirs | ours) if theirs.get(k) != ours.get(k)]
        if facts["calls"] and facts["steps_per_execution"] != self.steps_per_call:
            names.append("steps_per_execution")
        if self.rates not in facts.get("rates", [self.rates]):
            names.append("learning_rate")
        shapes = [tuple(variable.shape) for variable in state_of(self.trained)]
        if not names and [value.shape for value in values] != shapes:
            names.append("optimizer")
        if names:
            raise InputError(
                f"{self.folder} holds the backup of another training ({', '.join(names)}); "
                "remove it, or give another folder."
            )
