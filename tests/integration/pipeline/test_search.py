"""What a search for hyperparameters ranks its trials by, and what it says of them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.training import trials
from pipeline.use_cases import USE_CASES
from pipeline.use_cases.base import get_use_case


def regularized(l2: float):
    import keras

    from pipeline.training.loop import scored

    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((12,)), keras.layers.Dense(8, kernel_regularizer=keras.regularizers.L2(l2)), keras.layers.Dense(1)]
    )
    # Of what it was made with, its configuration tells nothing.
    model.compile(loss=keras.losses.Huber(delta=5.0))
    return scored(model)


def test_a_stronger_regularizer_is_not_a_worse_score():
    generator = np.random.default_rng(0)
    rows, values = generator.normal(size=(50, 12)).astype("float32"), generator.uniform(5, 50, 50).astype("float32")
    found = [regularized(l2).evaluate(rows, values, batch_size=16, verbose=0, return_dict=True) for l2 in (0.0, 5.0)]
    assert found[0]["score"] == pytest.approx(found[0]["loss"], rel=1e-5)
    assert found[1]["loss"] > found[1]["score"] + 10
    assert found[1]["score"] == pytest.approx(found[0]["score"], rel=1e-5)


def test_a_loss_given_by_name_is_scored_as_well():
    import keras

    from pipeline.training.loop import scored

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    found = scored(model).evaluate(np.ones((8, 2)), np.zeros(8), verbose=0, return_dict=True)
    assert found["score"] == pytest.approx(found["loss"], rel=1e-5)


@pytest.mark.parametrize("score", [math.nan, math.inf, None])
def test_a_trial_that_came_to_nothing_is_not_the_best(score):
    from pipeline.training.loop import best_of

    assert best_of([score, 2.5, 1.5]) == 1.5
    assert best_of([score]) is None


def test_what_is_told_of_a_trial():
    said = []
    with trials.listening(said.append):
        trials.ended(2, 4, 2.5, 1.5)
        trials.ended(3, 4, None, None)
    assert said == ["trial 2 of 4: loss 2.5000, best 1.5000", "trial 3 of 4: loss none, best none"]


@pytest.mark.parametrize("name", sorted(USE_CASES))
def test_a_search_is_around_the_configured_values(name):
    """What is not searched stays: also the second layer of a list of which the first is."""
    import keras_tuner

    use_case = get_use_case(name)
    changed = {key: [*value, 8] for key, value in use_case.hparams.items() if key == "hidden_units"}
    configured = use_case.merged_hparams(changed)
    found = use_case.load(use_case.search_space_name)(keras_tuner.HyperParameters(), configured)
    assert set(found) == set(configured)
    for key in changed:
        assert found[key][-1] == 8, key
    assert use_case.merged_hparams(found)
