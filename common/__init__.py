"""A zoo of image generative models in Keras 3: models, data, evaluation, plots.

Import `common` before `keras`: TensorFlow reads its settings once, when it is imported.
"""

import logging
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from typing import Any

__version__ = "0.2.0"

# TensorFlow convolves two to three times as fast with oneDNN, but leaves it off on processors
# without AVX-512 VNNI.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# JAX warns where it finds an NVIDIA GPU and no CUDA version of itself.
logging.getLogger("jax._src.xla_bridge").setLevel(logging.ERROR)


class QuietTensorFlow:
    """An import hook that drops what TensorFlow's C++ code prints while it is imported.

    Some of these lines (oneDNN is on, no CUDA drivers) ignore TF_CPP_MIN_LOG_LEVEL.
    """

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """TensorFlow's usual spec with a quiet loader; None for other modules."""
        if name != "tensorflow":
            return None
        # Out of the way of its own search, and back: others may only ask where TensorFlow is.
        sys.meta_path.remove(self)  # type: ignore[arg-type]
        spec = find_spec(name)
        sys.meta_path.insert(0, self)  # type: ignore[arg-type]
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_quietly(module: Any) -> None:
            # C++ writes to the descriptor, past Python's sys.stderr.
            terminal, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 2)
            try:
                load(module)
            finally:
                os.dup2(terminal, 2)
                os.close(terminal)
                os.close(nowhere)

        spec.loader.exec_module = load_quietly
        return spec


if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
    sys.meta_path.insert(0, QuietTensorFlow())  # type: ignore[arg-type]
