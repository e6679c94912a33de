"""How the steps of a model run fastest: with XLA or without, and how many in one call."""

from pathlib import Path

import keras

from common.training.backend import has_bfloat16

# Backend, device and kind of networks → `jit_compile` and steps per call. The figures are images a
# second step by step and in calls of 32 steps that gather their batches on the device, of
# the seed autoencoder (784-128-64-2, batches of 256), `vae_mnist`, `conv_ae_mnist` and
# `dcgan_mnist` (batches of 64): two shared cores of an Intel Xeon with AVX-512, Keras 3.15.1,
# TensorFlow 2.21, JAX 0.10.2, float32.
FASTEST = {
    ("tensorflow", "cpu", "dense"): (True, 32),  # 36,000 and 59,000; the VAE 16,000 and 21,000
    # oneDNN's convolutions are faster than XLA's: 930 and 810; the DCGAN 910 and 890.
    ("tensorflow", "cpu", "convolutional"): (False, 1),
    ("jax", "cpu", "dense"): (True, 32),  # 69,000 and 91,000; the VAE 22,000 and 24,000
    ("jax", "cpu", "convolutional"): (True, 1),  # 340 and 80: a loop computes them on one core.
    # Not measured. An accelerator waits for each call, so that many steps should pay.
    ("tensorflow", "gpu", "dense"): ("auto", 32),
    ("tensorflow", "gpu", "convolutional"): ("auto", 32),
    ("jax", "gpu", "dense"): (True, 32),
    ("jax", "gpu", "convolutional"): (True, 32),
}


def fastest_execution(device: str, convolutional: bool) -> dict:
    """The fastest `jit_compile` and `steps_per_execution` for `compile`.

    Args:
        device: 'cpu' or an accelerator's name.
        convolutional: whether the networks have convolutions.
    """
    place = "cpu" if device == "cpu" else "gpu"
    kind = "convolutional" if convolutional else "dense"
    # PyTorch takes its steps one by one, operation by operation.
    chosen = FASTEST.get((keras.backend.backend(), place, kind), ("auto", 1))
    return dict(zip(("jit_compile", "steps_per_execution"), chosen, strict=True))


def fastest_precision(device: str, convolutional: bool) -> tuple[str, str]:
    """The dtype policy in which a model trains fastest, and why.

    bfloat16 has the range of float32, so that it needs no loss scale.

    Args:
        device: 'cpu' or an accelerator's name.
        convolutional: whether the networks have convolutions.
    """
    if device != "cpu":
        if has_bfloat16():
            return "mixed_bfloat16", f"{device} computes in bfloat16"
        return "mixed_float16", f"{device} computes in float16, and not in bfloat16"
    if not convolutional:
        return "float32", "on a CPU dense networks gain nothing from 16 bits"
    if keras.backend.backend() != "tensorflow":
        return "float32", "on a CPU only TensorFlow has fast convolutions in bfloat16"
    if not any(flag in _processor() for flag in ("avx512_bf16", "amx_bf16")):
        return "float32", "this processor has no instructions for bfloat16"
    # The seed's DCGAN: 629 images a second in place of 406.
    return "mixed_bfloat16", "this processor has instructions for bfloat16"


def _processor() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:  # Another system than Linux does not say.
        return ""
