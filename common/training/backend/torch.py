"""PyTorch: gradients by `torch.autograd.grad`, steps one by one."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import torch

from common.training.backend.shared import LossFunction, StatefulStep


class Step(StatefulStep):
    """Gradients by `torch.autograd.grad`."""

    def minimize(self, loss: LossFunction, variables: Sequence, optimizer: Any) -> Any:
        value, aux = loss()
        gradients = torch.autograd.grad(
            optimizer.scale_loss(value), [v.value for v in variables], allow_unused=True
        )
        with torch.no_grad():
            self.see_gradients(gradients, optimizer)
            optimizer.apply(gradients, variables)
        return aux

    def test_step(self, data: Any) -> dict:
        with torch.no_grad():
            return super().test_step(data)


# Nothing is gathered there, as a step is run operation by operation.
to_device = None


def feed(batches: Any) -> Any:
    """Batches in the form that Keras's loops take fastest here."""
    return batches


def predict_fast(network: keras.Model) -> None:
    """Nothing to do here."""


def device_name() -> str:
    """The device that Keras computes on: 'cpu', or the accelerator's name."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def keep_compiled(folder: Path) -> None:
    """Nothing: compiled functions cannot be kept here."""


def has_bfloat16() -> bool:
    """Whether the accelerator computes in bfloat16."""
    return torch.cuda.is_bf16_supported()


@contextmanager
def traced(folder: Path) -> Iterator[None]:
    """A block whose operations are written to a folder, for Perfetto."""
    with torch.profiler.profile() as profile:
        yield
    folder.mkdir(parents=True, exist_ok=True)
    profile.export_chrome_trace(str(folder / "trace.json"))


def be_deterministic() -> None:
    """Take the same steps to the last bit on an accelerator too; before its first use."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=True)


def strategy_over_devices(model: keras.Model) -> None:
    """None: `tf.distribute` is TensorFlow's."""
