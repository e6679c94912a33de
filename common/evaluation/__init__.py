"""Measurements as pure functions on NumPy arrays; models enter only as callables."""
