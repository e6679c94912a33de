"""Keras builders of the models' networks, parametric in the image shape."""
