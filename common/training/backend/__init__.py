"""The only folder that names a backend: gradients, train steps, feeding, the fastest settings.

Each backend has a file with the same names; `shared` is what two of them have in common.
"""

from typing import Any

import keras

BACKEND = keras.backend.backend()

if BACKEND == "tensorflow":
    from common.training.backend import tensorflow as chosen
elif BACKEND == "jax":
    from common.training.backend import jax as chosen
elif BACKEND == "torch":
    from common.training.backend import torch as chosen
else:
    raise ImportError(
        f"The Keras backend is {BACKEND!r}; the zoo trains on 'tensorflow', 'jax' or 'torch'. "
        "Set the environment variable KERAS_BACKEND to one of them."
    )

Step: Any = chosen.Step
feed = chosen.feed
to_device = chosen.to_device
predict_fast = chosen.predict_fast
device_name = chosen.device_name
be_deterministic = chosen.be_deterministic
keep_compiled = chosen.keep_compiled
has_bfloat16 = chosen.has_bfloat16
traced = chosen.traced
strategy_over_devices = chosen.strategy_over_devices
