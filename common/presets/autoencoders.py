"""The autoencoders' presets."""

ADAM = {
    "optimizer": {"class_name": "Adam", "config": {"learning_rate": 1e-3}},
    "cosine_decay": True,
}

AUTOENCODERS: dict[str, dict] = {}
