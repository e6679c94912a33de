"""Odd arguments of public functions: a right value or an `InputError` in a few words."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from common import plots
from common.errors import InputError
from common.evaluation import (
    anomaly,
    codes,
    coverage,
    diagnosis,
    likelihood,
    modes,
    polynomials,
    predictability,
)
from common.metrics import history_table

rng = np.random.default_rng(0)
IMAGES = rng.random((6, 7, 7, 1))
VECTORS = rng.normal(size=(6, 2))
LABELS = np.arange(6) % 3
COUNTS = np.array([4, 0, 9])
SCORES = rng.normal(size=6)
PROBABILITIES = rng.dirichlet(np.ones(3), size=6)
HISTORY = {"generator_loss": [2.0, 1.0], "d_real": [0.5, 0.6], "d_fake": [0.5, 0.4]}
AUROC = pd.Series([0.9, 0.6, 0.7])
MIXTURE = codes.CodeMixture(VECTORS)


def natural(means):
    flat = means.reshape(len(means), -1)
    return flat, np.zeros(len(flat)), 0.5


def encode(images):
    flat = np.reshape(images, (len(images), -1))
    return flat[:, :2], flat[:, 2:4]


def log_p(images, z):
    return np.zeros(z.shape[:2])


# Each with arguments that fit, one of which at a time becomes an odd one.
CALLS = [
    (plots.animation, {1: IMAGES}, "folder.gif", 5),
    (plots.held_out_scores, AUROC),
    (plots.image_grid, IMAGES, 3, "title", list("abcdef")),
    (plots.interpolation, IMAGES),
    (plots.latent_space, VECTORS, LABELS, list("abc")),
    (plots.loss_curves, HISTORY),
    (plots.manifold, lambda z: np.zeros((len(z), 7, 7, 1)), 2, VECTORS),
    (plots.mode_histogram, COUNTS, list("abc"), COUNTS),
    (plots.mode_history, {1: COUNTS}, list("abc")),
    (plots.nearest_neighbours, IMAGES, IMAGES),
    (plots.originals_and_samples, IMAGES, IMAGES, 4),
    (plots.reconstructions, IMAGES, IMAGES, 3),
    (plots.roc_curve, [0, 1], [0, 1], 0.5),
    (plots.traversals, IMAGES[None], np.linspace(0, 1, 6), [0]),
    (anomaly.reconstruction_error, IMAGES, IMAGES),
    (anomaly.prior_sample_nll, IMAGES, IMAGES, natural),
    (anomaly.held_out_mask, LABELS, 1),
    (anomaly.anomaly_report, SCORES, LABELS == 1),
    (anomaly.roc_points, SCORES, LABELS == 1),
    (anomaly.most_anomalous, SCORES, 2),
    (codes.flat, VECTORS),
    (codes.encode_in_batches, lambda x: x, IMAGES, 3),
    (codes.traversal_codes, VECTORS, [0.1, 0.9], [1]),
    (codes.CodeMixture, VECTORS),
    (MIXTURE.sample, 3),
    (MIXTURE.nll, VECTORS),
    (codes.code_distance, VECTORS, VECTORS, 2),
    (coverage.density_and_coverage, VECTORS, VECTORS, 2),
    (coverage.coverage_ceiling, 9, 9, 2),
    (coverage.smallest_neighbour, 90, 90),
    (coverage.nearest_images, IMAGES, IMAGES),
    (diagnosis.balance, HISTORY),
    (diagnosis.modes_in_words, COUNTS, list("abc")),
    (likelihood.importance_weighted_nll, IMAGES, encode, log_p, 3, 4, 2),
    (modes.mode_histogram, LABELS, 3),
    (modes.modes_covered, COUNTS),
    (modes.kl_divergence, COUNTS, [1, 1, 1]),
    (modes.kl_to_uniform, COUNTS),
    (modes.kl_floor, 3, 9, 9),
    (modes.samples_needed, 3),
    (modes.require_samples, 9, 3),
    (modes.mode_report, LABELS, 3, LABELS),
    (polynomials.exponents, 2),
    (polynomials.monomials, 4, 2),
    (polynomials.outside_span, IMAGES, 2),
    (polynomials.shape_coordinates, IMAGES, 2),
    (polynomials.polynomial_report, np.tile(IMAGES, (9, 1, 1, 1)), IMAGES, 2),
    (predictability.predicted_classes, PROBABILITIES),
    (predictability.predictability, PROBABILITIES, 0.5),
    (predictability.accuracy, PROBABILITIES, LABELS, 0.5),
    (predictability.class_coverage, PROBABILITIES, 0.5),
    (history_table, HISTORY),
]
DTYPES = st.sampled_from([*"bBhfde?UO", "c16", "M8[s]"])
ARRAYS = st.builds(
    lambda shape, dtype, fill: np.full(shape, fill).astype(dtype),
    arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=7),
    DTYPES,
    st.integers(-2, 3),
)
NUMBERS = st.floats() | st.integers(-2, 9) | st.booleans()
LEAVES = st.none() | st.text(max_size=4) | NUMBERS | ARRAYS
ODD = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.text(max_size=4) | st.integers(0, 3), inner, max_size=3)
        | st.lists(NUMBERS | st.just(10**400), max_size=6).map(
            lambda values: np.array(values, object)
        )
    ),
    max_leaves=6,
)
FRAMES = st.dictionaries(
    st.sampled_from(["loss", "val_loss", "d_real", "epoch", "val_test_x", "", "_$x_$"]),
    st.lists(st.floats() | st.none(), min_size=2, max_size=2),
).map(pd.DataFrame)
# What may become of an array on its way.
CHANGES = [
    np.ndarray.tolist,
    lambda array: array[:0],
    lambda array: array[:1],
    lambda array: array[1:],
    lambda array: array[..., None],
    lambda array: array[..., 0],
    lambda array: array.T,
    lambda array: array * np.nan,
    lambda array: np.where(np.arange(array.size).reshape(array.shape) == 1, np.inf, array),
    lambda array: array * 1e12,
    lambda array: array * 1e200,
    lambda array: -1 - array,
    lambda array: array * 0,
    lambda array: array.astype(object),
    lambda array: array.astype(str),
    lambda array: array.astype(complex),
    lambda array: array.astype(np.uint8),
    lambda array: array.astype(np.float16),
    lambda array: pd.DataFrame(array.reshape(len(array), -1)),
]


@pytest.fixture(scope="module", autouse=True)
def in_a_folder_of_its_own(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("films"))
        yield


@settings(derandomize=True, deadline=None, max_examples=250)
@given(call=st.sampled_from(CALLS), odd=ODD | FRAMES, data=st.data())
def test_an_odd_argument_gives_a_value_or_a_sentence(call, odd, data):
    function, *arguments = call
    given = [place for place, argument in enumerate(arguments) if not callable(argument)]
    place = data.draw(st.sampled_from(given))
    if isinstance(arguments[place], np.ndarray) and data.draw(st.booleans()):
        arguments[place] = data.draw(st.sampled_from(CHANGES))(arguments[place])
    else:
        arguments[place] = odd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            function(*arguments)
        except InputError as error:
            assert len(str(error).split()) > 4
