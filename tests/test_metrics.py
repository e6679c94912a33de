"""What metrics mean, and a history in any form as one table."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from common.errors import InputError
from common.metrics import KNOWN, MetricKind, history_table, kinds_of

KINDS = {"gap": MetricKind("distance")}


def test_kinds_are_those_given_or_the_models_or_the_zoos():
    history = SimpleNamespace(history={"gap": [1]}, epoch=[0])
    assert kinds_of(history) is KNOWN
    history.model = SimpleNamespace(metric_kinds=KINDS)
    assert kinds_of(history) is KINDS
    assert kinds_of(history, KNOWN) is KNOWN
    assert kinds_of(pd.DataFrame({"model": [1.0]})) is KNOWN


@pytest.mark.parametrize(
    ("history", "epochs"),
    [
        ({"gap": [3, 2]}, [1, 2]),
        (pd.DataFrame({"gap": [3, 2]}), [1, 2]),
        (pd.DataFrame({"epoch": [5, 10], "gap": [3, 2]}), [5, 10]),
        (SimpleNamespace(history={"gap": [3, 2]}, epoch=[10, 11]), [11, 12]),
    ],
    ids=["dict", "frame", "epoch column", "keras, resumed"],
)
def test_a_history_is_a_table_with_its_epochs(history, epochs):
    table, numbers = history_table(history)
    assert list(table) == ["gap"] and table["gap"].dtype == np.float64
    assert (table["gap"].tolist(), list(numbers)) == ([3, 2], epochs)


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ([1, 2, 3], "list; expected what `fit` returns"),
        ({}, "no epoch"),
        ({"loss": []}, "no epoch"),
    ],
)
def test_what_is_no_history_is_refused(history, message):
    with pytest.raises(InputError, match=message):
        history_table(history)
