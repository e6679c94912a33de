"""The engine under `fit`: steps on three backends, batches, checks of input, optimizers."""
