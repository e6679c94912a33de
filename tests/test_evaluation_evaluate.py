import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.evaluate import digest_of, evaluate, evaluate_images
from common.evaluation.protocol import Protocol

PROTOCOL = Protocol(400, "300 made images")
SIDE = 4


def images(count, seed, low=0.0, high=1.0):
    """Images of one level each, in one of two halves: two classes."""
    rng = np.random.default_rng(seed)
    made = np.zeros((count, SIDE, SIDE, 1), "float32")
    for k, level in enumerate(rng.uniform(low, high, count)):
        half = slice(0, 2) if k % 2 else slice(2, 4)
        made[k, half] = level
    return made


def features(batch):
    return batch.reshape(len(batch), -1)[:, [0, -1]]


def classify(batch):
    """Class 0 or 1 by the brighter half, the surer the brighter."""
    top, bottom = batch[:, 0, 0, 0], batch[:, -1, 0, 0]
    share = np.clip(0.5 + (top - bottom) / 2, 0, 1)
    return np.stack([share, 1 - share], axis=1)


def test_samples_as_good_as_the_data_have_the_figures_of_a_perfect_sampler():
    figures = evaluate(
        images(400, 1), images(300, 2), PROTOCOL, features=features, classify=classify
    )
    assert all(figure.protocol is PROTOCOL for figure in figures.values())
    assert all(f.low <= f.value <= f.high for name, f in figures.items() if name != "modes")
    value = {name: figure.value for name, figure in figures.items()}
    assert value["frechet_distance"] < 0.01 and abs(value["kernel_distance"]) < 0.01
    assert min(value["precision"], value["recall"], value["coverage"]) > 0.9
    assert value["density"] == pytest.approx(1, abs=0.1)
    assert value["modes"] == 2 and value["modes_kl"] == 0
    assert value["predictability"] == pytest.approx(0.4, abs=0.06)  # of levels above 0.6


def test_a_lost_class_shows():
    figures = evaluate(
        images(800, 1)[::2], images(300, 2), PROTOCOL, features=features, classify=classify
    )
    assert figures["modes"].value == 1 and figures["modes_kl"].value == pytest.approx(np.log(2))
    assert figures["recall"].value < 0.6 < 0.9 < figures["precision"].value


def test_copies_are_found_and_new_samples_are_none():
    training = images(500, 3)
    new = evaluate(images(400, 1), images(300, 2), PROTOCOL, training=training)["copies"]
    assert new.value < 0.05
    mixed = np.concatenate([training[:100], images(300, 1)])
    assert evaluate(mixed, images(300, 2), PROTOCOL, training=training)["copies"].value >= 0.25


def test_contours_are_measured_by_what_no_polynomial_explains():
    x, y = np.meshgrid(np.arange(12) / 12, np.arange(12) / 12)
    slopes = np.random.default_rng(0).uniform(size=(9, 2))
    planes = np.stack([a * x + b * y for a, b in slopes])[..., None] / 2
    figure = evaluate(planes, planes, PROTOCOL, polynomial=True)["outside_span_median"]
    assert figure.value == pytest.approx(0, abs=1e-9)


def test_means_over_images_have_intervals():
    values = np.random.default_rng(0).normal(5.0, 1.0, 2500)
    figure = evaluate_images({"nll": values}, PROTOCOL)["nll"]
    assert figure.value == values.mean()
    assert (figure.low, figure.high) == pytest.approx((4.96, 5.04), abs=0.06)


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (np.zeros((9, 3, 4, 1)), r"samples are \(3, 4, 1\) and the real images \(4, 4, 1\)"),
        (np.full((9, 4, 4, 1), np.nan), "NaN or infinite"),
        (np.zeros((2, 4, 4, 1)), "a covariance of these takes at least 3"),
        ("samples", "no array of real numbers"),
    ],
)
def test_what_cannot_be_judged_is_refused(samples, words):
    with pytest.raises(InputError, match=words):
        evaluate(samples, images(300, 2), PROTOCOL, features=features)


def test_a_digest_follows_the_values():
    arrays = [np.arange(6.0).reshape(2, 3), np.ones(2)]
    assert digest_of(arrays) == digest_of([part.copy() for part in arrays])
    assert digest_of(arrays) != digest_of([arrays[0] + 1e-9, arrays[1]])
