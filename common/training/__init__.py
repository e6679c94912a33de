"""Training: the backend-neutral step, precision, callbacks."""
