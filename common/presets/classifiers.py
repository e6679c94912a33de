"""The verification nets' presets; these nets judge the other models' samples."""

from common.presets.autoencoders import DECAYING, MNIST_SHAPE
from common.presets.entry import preset

LARGE = {**DECAYING, "optimizer": {"class_name": "Adam", "config": {"learning_rate": 4e-3}}}

CLASSIFIERS: dict[str, dict] = {
    f"classifier_{_suffix}": preset(
        "ImageClassifier",
        _data,
        "three convolutions, shifted images",
        _fit,
        LARGE,
        image_shape=MNIST_SHAPE,
        num_classes=10,
    )
    for _data, _suffix, _fit in (
        ("mono", "mnist", (8, 128)),
        ("fashion", "fashion", (10, 128)),
        ("digits", "digits", (20, 64)),
    )
}
