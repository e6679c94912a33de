"""What a GAN's samples and history say about its training."""

import re

import numpy as np
import pandas as pd
import pytest

from common import zoo
from common.errors import InputError
from common.evaluation.diagnosis import HELP, balance, modes_in_words
from common.metrics import MetricKind

DIGITS = tuple("0123456789")


def said(*counts, names=None):
    return modes_in_words(np.array(counts), names or [f"n{k}" for k in range(len(counts))])


def test_even_modes_need_no_more_words():
    words = modes_in_words(np.full(10, 200), DIGITS)
    expected = "10 of 10 modes in 2,000 samples, KL to uniform 0.000 (a perfect sampler's 0.002)."
    assert words == expected


def test_a_mode_that_misses_is_named_before_it_is_a_collapse():
    words = said(110, 110, 110, 0, 110, 110, 110, 110, 110, 120, names=DIGITS)
    assert "9 of 10 modes" in words and "; missing: 3." in words
    assert "show" not in words and HELP not in words


def test_a_crowded_mode_is_named_with_its_share():
    words = said(*[6] * 9, 46)
    assert "; 46% of the samples show n9." in words
    assert "missing" not in words and HELP not in words
    # More than three times a tenth.
    assert "; 31% of the samples show n0." in said(31, 9, 10, 10, 10, 10, 5, 5, 5, 5)
    assert "show" not in said(30, 10, 10, 10, 10, 10, 5, 5, 5, 5)


def test_a_collapse_names_the_most_crowded_first_and_five_at_most():
    words = said(310, 0, 0, 0, 0, 0, 0, 690, 0, 0)
    assert "missing: n1, n2, n3, n4, n5 and 3 more; 100% of the samples show n7, n0. " in words
    assert words.endswith(HELP)


@pytest.mark.parametrize(
    ("counts", "collapsed"),
    [
        ([1] * 900 + [0] * 100, False),
        ([1] * 899 + [0] * 101, True),
        ([100] + [1] * 999, False),
        ([500] + [1] * 999, True),
        ([550] + [50] * 9, False),
        ([600] + [45] * 8 + [40], True),
        ([700] + [38] * 8 + [0], True),
    ],
    ids=["nine tenths", "fewer", "a little", "a third", "half", "most of ten", "nearly all"],
)
def test_a_collapse_is_a_tenth_of_the_modes_or_half_of_their_effective_number(counts, collapsed):
    counts = np.array(counts)
    shares = counts[counts > 0] / counts.sum()
    effective = np.exp(-(shares * np.log(shares)).sum())
    lost = effective < len(counts) / 2 or np.count_nonzero(counts) < 0.9 * len(counts)
    assert lost == collapsed
    assert said(*counts).endswith(HELP) is collapsed


def test_a_collapse_names_the_classes_that_most_samples_show_though_none_is_crowded():
    words = said(250, 0, 0, 250, 0, 250, 0, 0, 0, 250)
    assert "; 100% of the samples show n0, n3, n5, n9. " in words and words.endswith(HELP)


def test_an_early_collapse_gets_no_advice_and_an_even_start_its_usual_words():
    words = modes_in_words(np.array([0, 9, 0]), list("abc"), early=True)
    assert words == "1 of 3 modes in 9 samples; too early to judge."
    even = np.full(10, 200)
    assert modes_in_words(even, DIGITS, early=True) == modes_in_words(even, DIGITS)


def test_advice_names_options_that_there_are():
    said = HELP + balance(probabilities([0.95] * 2, [0.01] * 2))
    said += balance(probabilities([0.9] * 3, [0.01] * 3))
    said += balance(probabilities([0.9], [np.nan]))
    options = set(re.findall(r"--[a-z-]+", said))
    assert options == {"--pack", "--label-smoothing", "--epochs", "--lr"}
    assert options <= {option.flag for option in zoo.OPTIONS.values()}


def probabilities(real, fake):
    return pd.DataFrame({"d_real": real, "d_fake": fake})


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (
            [0.9] * 3,
            [0.01] * 3,
            "the generator has stalled: the discriminator rejects every sample",
        ),
        (
            [0.9] * 5,
            [0.4, 0.3, 0.01, 0.01, 0.01],
            "the generator has stalled: the discriminator rejects every sample",
        ),
        ([0.95] * 3, [0.03, 0.01, 0.01], "the discriminator wins"),
        ([0.95] * 2, [0.01] * 2, "the discriminator wins"),
        ([0.95] * 4, [0.01, 0.01, 0.01, 0.5], "both players learn"),
        ([0.1] * 3, [0.01] * 3, "the players are even"),
    ],
    ids=["from the start", "at the end", "for two epochs", "too short", "recovered", "even"],
)
def test_a_generator_rejected_for_three_epochs_has_stalled(real, fake, words):
    said = balance(probabilities(real, fake))
    assert words in said
    assert said.startswith(f"D(real) {real[-1]:.2f}, D(fake) {fake[-1]:.2f}: ")


def test_scores_of_a_squared_loss_are_no_probabilities():
    scores = pd.DataFrame({"score_real": [0.9, 1.2], "score_fake": [0.4, -0.3]})
    assert balance(scores).startswith("D(real) 1.20, D(fake) -0.30: the discriminator wins")
    stalled = pd.DataFrame({"score_real": [0.8] * 5, "score_fake": [0.0] * 5})
    assert "both players learn" in balance(stalled)


def test_a_critic_is_judged_by_its_distance():
    assert "the generator gains." in balance(pd.DataFrame({"critic_distance": [4.0, 3.0, 1.9]}))
    assert "gains little" in balance(pd.DataFrame({"critic_distance": [1.0, 4.0, 2.1]}))
    assert balance(pd.DataFrame({"critic_distance": [0.05]})) == "Critic's distance: 0.05."
    assert "does not tell real" in balance(pd.DataFrame({"critic_distance": [-0.1] * 3}))


HINGE = {
    "hinge_d": MetricKind("player loss"),
    "hinge_g": MetricKind("player loss"),
    "f_real": MetricKind("score", "real"),
    "f_fake": MetricKind("score", "fake"),
}


def test_a_gan_of_other_metrics_is_read_by_their_kinds():
    history = {"hinge_g": [2, 0.25], "hinge_d": [1, 0.125], "f_real": [1, 1.5], "f_fake": [0, -1]}
    assert balance(history, HINGE).startswith("D(real) 1.50, D(fake) -1.00: the discriminator wins")
    del history["f_real"]
    assert balance(history, HINGE) == "Last epoch: hinge d 0.125, hinge g 0.25."
    gap = {"gap": MetricKind("distance")}
    assert "the generator gains." in balance({"gap": [4.0, 3.0, 1.9]}, gap)


def test_metrics_of_unknown_names_give_no_verdict():
    assert balance({"f_real": [1, 2], "f_fake": [0, 1]}) == (
        "No metric says how the two players stand."
    )
    assert balance({"generator_loss": [2], "odd": [1]}) == "Last epoch: generator loss 2."
    with pytest.raises(InputError, match="no epoch"):
        balance({})
