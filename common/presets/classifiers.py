"""The verification nets' presets: by these the samples of the other models are judged."""

from common.presets.autoencoders import DECAYING, MNIST_SHAPE
from common.presets.entry import preset


def _net(data: str, fit: tuple[int, int], about: str) -> dict:
    return preset(
        "DigitClassifier", data, about, fit, DECAYING, image_shape=MNIST_SHAPE, num_classes=10
    )


CLASSIFIERS: dict[str, dict] = {
    "classifier_mnist": _net("mono", (10, 128), "two convolutional stages, shifted digits"),
    "classifier_fashion": _net("fashion", (10, 128), "as classifier_mnist"),
    "classifier_digits": _net("digits", (20, 64), "as classifier_mnist"),
}
