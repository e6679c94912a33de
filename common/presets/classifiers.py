"""The verification nets' presets; these nets judge the other models' samples."""

from common.presets.autoencoders import DECAYING, MNIST_SHAPE
from common.presets.entry import preset

CLASSIFIERS: dict[str, dict] = {
    f"classifier_{_suffix}": preset(
        "ImageClassifier",
        _data,
        "two convolutional stages, shifted images",
        _fit,
        DECAYING,
        image_shape=MNIST_SHAPE,
        num_classes=10,
    )
    for _data, _suffix, _fit in (
        ("mono", "mnist", (10, 128)),
        ("fashion", "fashion", (10, 128)),
        ("digits", "digits", (20, 64)),
    )
}
