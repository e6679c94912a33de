import numpy as np
import pytest

from common.errors import InputError
from common.evaluation.predictability import (
    accuracy,
    class_coverage,
    predictability,
    predicted_classes,
)

PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.4, 0.3, 0.3], [0.95, 0.0, 0.05]])


def test_single_digits_by_hand():
    assert predictability(PROBABILITIES) == 3 / 4
    assert class_coverage(PROBABILITIES) == 2 / 3
    # The third is right but unsure, the fourth sure but wrong.
    assert accuracy(PROBABILITIES, np.array([0, 1, 0, 2])) == 2 / 4


def test_tolerance_moves_the_line_and_includes_it():
    assert predictability(PROBABILITIES, tolerance=0.95) == 1 / 4
    assert predictability(PROBABILITIES, tolerance=0.4) == 1
    assert class_coverage(PROBABILITIES, tolerance=1) == 0
    assert accuracy(PROBABILITIES, np.array([0, 1, 0, 2]), tolerance=0.4) == 3 / 4


def test_stacked_digits_multiply_probabilities_and_number_classes_from_channel_0():
    digits = np.array([[3, 1, 7], [0, 0, 2]])
    probabilities = np.full((2, 3, 10), 0.1 / 9)
    np.put_along_axis(probabilities, digits[:, :, None], 0.9, axis=2)
    classes, probability = predicted_classes(probabilities)
    assert classes.tolist() == [713, 200]
    np.testing.assert_allclose(probability, 0.9**3)
    assert predictability(probabilities) == 0
    assert class_coverage(probabilities, tolerance=0.7) == 2 / 1000


def test_stacked_probabilities_are_those_of_the_product_of_the_channels():
    channels = np.random.default_rng(0).dirichlet(np.full(4, 0.1), size=(50, 3))
    joint = np.einsum("na,nb,nc->ncba", *channels.transpose(1, 0, 2)).reshape(50, 64)
    assert predicted_classes(channels)[0].tolist() == predicted_classes(joint)[0].tolist()
    assert class_coverage(channels, 0.5) == class_coverage(joint, 0.5)
    assert predictability(channels, 0.5) == predictability(joint, 0.5)


@pytest.mark.parametrize("tolerance", [0, 1.01, -0.5, float("nan")])
@pytest.mark.parametrize("measure", [predictability, class_coverage])
def test_a_tolerance_outside_its_range_is_refused(measure, tolerance):
    with pytest.raises(InputError, match=r"outside \(0, 1\]"):
        measure(PROBABILITIES, tolerance)


def test_probabilities_and_labels_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="NaN"):
        predictability(np.full((2, 3), np.nan))
    with pytest.raises(InputError, match="one for each"):
        accuracy(PROBABILITIES, np.array([[0], [1], [0], [2]]))
