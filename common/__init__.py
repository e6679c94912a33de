"""A zoo of image generative models in Keras 3: models, data, evaluation, plots."""
