"""A zoo of image generative models in Keras 3: models, data, evaluation, plots."""

import os

# TensorFlow convolves two to three times as fast with oneDNN, but on processors without AVX-512
# VNNI it leaves it off. It reads this once, when it is imported: import `common` before `keras`.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
