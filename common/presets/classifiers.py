"""The verification nets' presets: by these the samples of the other models are judged."""


def _preset(data: str, fit: tuple[int, int], about: str) -> dict:
    epochs, batch_size = fit
    return {
        "model": "DigitClassifier",
        "about": about,
        "data": {"name": data},
        "arguments": {"image_shape": (28, 28, 1), "num_classes": 10},
        "compile": {
            "optimizer": {"class_name": "Adam", "config": {"learning_rate": 2e-3}},
            "cosine_decay": True,
        },
        "fit": {"epochs": epochs, "batch_size": batch_size},
    }


CLASSIFIERS: dict[str, dict] = {
    "classifier_mnist": _preset("mono", (10, 128), "two convolutional stages, shifted digits"),
    "classifier_fashion": _preset("fashion", (10, 128), "as classifier_mnist"),
    "classifier_digits": _preset("digits", (20, 64), "as classifier_mnist"),
}
