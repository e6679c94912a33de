"""Measurements as pure functions on NumPy arrays; models come in only as callables."""
