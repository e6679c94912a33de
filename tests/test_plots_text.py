"""Names are text: shown as they stand, whatever letters they hold."""

import io
import os
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.font_manager import fontManager, get_font

from common import plots
from common.evaluation.diagnosis import modes_in_words
from common.plots.text import as_text, names_of

NAMES = {
    "_background_": "_background_",
    "$5 to $10": "$5 to $10",
    "a_$x_$": "a_$x_$",
    r"\frac{": r"\frac{",
    "100 % {a}^": "100 % {a}^",
    r"\$": r"\$",
    "two\nlines": "two lines",
    "": "(no name)",
    " ": "(no name)",
    "nul\x00": r"nul\x00",
    os.fsdecode(b"caf\xe9"): r"caf\udce9",
    "W" * 300: "W" * 12 + "…" + "W" * 11,
    "猫" * 99: "猫" * 6 + "…" + "猫" * 5,
    "שלום": "שלום",
}
GIVEN, SHOWN = list(NAMES), list(NAMES.values())
COUNT = len(NAMES)
CODES = np.random.default_rng(0).normal(size=(2 * COUNT, 2))
GREY = np.full((COUNT, 4, 4, 1), 0.5)


def in_legend(names):
    figure = plots.latent_space(CODES, np.arange(2 * COUNT) % COUNT, names, means=True)
    assert [text.get_text() for text in figure.axes[0].texts] == SHOWN
    return figure, figure.axes[0].get_legend().get_texts()


def in_bars(names):
    figure = plots.mode_histogram(np.ones(COUNT), names)
    return figure, figure.axes[0].get_xticklabels()


def in_history(names):
    figure = plots.mode_history({1: np.ones(COUNT)}, names)
    return figure, figure.axes[0].get_yticklabels()


def in_index(names):
    figure = plots.held_out_scores(pd.Series(np.ones(COUNT), index=names))
    return figure, figure.axes[0].get_xticklabels()


@pytest.mark.parametrize("draw", [in_legend, in_bars, in_history, in_index])
def test_every_name_is_drawn_as_it_stands_and_nothing_warns(draw):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, texts = draw(GIVEN)
        assert [text.get_text() for text in texts] == SHOWN
        assert not any(text.get_parse_math() or text.get_usetex() for text in texts)
        figure.savefig(io.BytesIO(), format="png")
    # There is still room for what is measured.
    box = figure.axes[0].get_window_extent()
    assert box.width > 100 and box.height > 40


def test_titles_and_captions_keep_their_lines():
    names = ["_a\n$b_$", *SHOWN[1:]]
    figure = plots.image_grid(GREY, title="$x_$ and $", captions=names)
    (axes,) = figure.axes
    assert axes.get_title() == "$x_$ and $"
    assert [text.get_text() for text in axes.texts] == names
    figure.savefig(io.BytesIO(), format="png")


def test_metrics_of_any_name_have_their_panel():
    history = {"_a": [2, 1], "$x_$": [2, 1], "val_test_x": [2, 1], "a b": [1, 1], "a_b": [2, 2]}
    figure = plots.loss_curves(history, split="_$y_$")
    titles = {axes.get_title(): len(axes.lines) for axes in figure.axes}
    assert titles == {" a": 1, "$x $": 1, "test x": 1, "a b": 2}
    legends = {axes.get_title(): axes.get_legend().get_texts() for axes in figure.axes}
    assert [text.get_text() for text in legends["test x"]] == ["_$y_$"]
    figure.savefig(io.BytesIO(), format="png")


def test_a_panel_has_a_colour_for_each_of_many_lines():
    from common.metrics import MetricKind

    names = [f"loss {n}" for n in range(15)]
    kinds = dict.fromkeys(names, MetricKind("player loss"))
    (axes,) = plots.loss_curves({name: [2, 1] for name in names}, kinds).axes
    assert len({tuple(line.get_color()) for line in axes.lines}) == 15


def test_a_letter_that_the_usual_font_lacks_comes_from_a_font_that_has_it():
    usual = get_font(fontManager.findfont("DejaVu Sans"))
    other = get_font(fontManager.findfont("STIXGeneral"))
    letter = next(chr(c) for c in other.get_charmap() if not usual.get_char_index(c))
    assert as_text(["plain", "é"])[1]["family"] == ["sans-serif"]
    shown, look = as_text([letter])
    assert shown == [letter] and look["family"][0] == "sans-serif" and len(look["family"]) > 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.mode_histogram([1, 2], [letter, "b"]).savefig(io.BytesIO())


def test_a_letter_that_no_font_has_is_a_box_without_a_warning(recwarn):
    for letter in ("\U0001f9ff", "\U000e0fff", "\ufdd0"):
        plots.latent_space(CODES, np.zeros(len(CODES), int), [letter]).savefig(io.BytesIO())
    assert not recwarn.list


def test_names_come_from_sequences_arrays_and_tables():
    for names in (["a", "b"], np.array(["a", "b"]), pd.Series(["a", "b"]), {0: "a", 1: "b"}):
        assert names_of([1, 0], names) == ["b", "a"]


@pytest.mark.parametrize("names", [["a"], [], 7, {0: "a"}])
def test_a_class_without_a_name_is_refused(names):
    with pytest.raises(ValueError, match=r"from 0 to 1; expected a sequence with a name for each"):
        plots.latent_space(CODES, np.arange(2 * COUNT) % 2, names)
    with pytest.raises(ValueError, match="from -1 to 0"):
        plots.latent_space(CODES, np.arange(2 * COUNT) % 2 - 1, ["a", "b"])


def test_modes_in_words_can_be_printed():
    said = modes_in_words(np.array([0, 9]), [os.fsdecode(b"caf\xe9"), "b\x1b[31m"])
    assert said.isprintable() and said.encode()
    assert r"missing: caf\udce9" in said and r"b\x1b[31m" in said


TEXT = st.text(st.characters() | st.sampled_from("$_\\{}%^\n\ud800"), max_size=40)


@settings(derandomize=True, deadline=None, max_examples=8)
@given(st.lists(TEXT, min_size=3, max_size=3))
def test_any_three_names_are_drawn(names):
    figure = plots.latent_space(CODES[:6], np.arange(6) % 3, names)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == as_text(
        names_of(range(3), names), 24
    )[0]
    figure.savefig(io.BytesIO(), format="png")
    plots.image_grid(GREY[:3], title=names[0], captions=names).savefig(io.BytesIO(), format="png")
