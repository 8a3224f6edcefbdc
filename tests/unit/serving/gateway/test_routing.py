"""Shares are the weights; a key moves only where its arm lost, or another one gained."""

from __future__ import annotations

import functools
import itertools

import pytest

from configs.gateway import Arm, Shadow
from serving.gateway.routing import Choice, Target, asked, choose, is_shadowed

# By chance alone a share of 10,000 keys lies within one hundredth of an even split 19 times in 20; of these keys all shares below do.
KEYS = [f"customer-{number}" for number in range(10_000)]


def arms(**weights: float) -> list[Arm]:
    """``v3=1.0`` is a version, everything else a label."""
    return [
        Arm(version=int(name[1:]), weight=weight) if name[1:].isdigit() else Arm(label=name, weight=weight)
        for name, weight in weights.items()
    ]


def split(given: list[Arm], model: str = "m") -> dict[str, str]:
    return dict(_split(model, *((arm.version, arm.label, arm.weight) for arm in given)))


@functools.cache
def _split(model: str, *given: tuple[int | None, str | None, float]) -> dict[str, str]:
    found = [Arm(version=version, label=label, weight=weight) for version, label, weight in given]
    return {key: choose(model, found, key).target.name for key in KEYS}


@pytest.mark.parametrize(
    "weights",
    [
        {"v1": 1, "v2": 1},
        {"v1": 9, "v2": 1},
        {"v1": 99, "v2": 1},
        {"v1": 0.5, "canary": 0.25, "v7": 0.25},
        {"v1": 3e5, "v2": 1e5},
        {"v1": 1, "v2": 2, "v3": 3, "v4": 4},
        {"v1": 1e-6, "v2": 3e-6},
    ],
    ids=str,
)
def test_shares_are_the_weights(weights):
    found = list(split(arms(**weights)).values())
    for name, weight in weights.items():
        assert found.count(name) / len(KEYS) == pytest.approx(weight / sum(weights.values()), abs=0.01)


def test_shares_come_ever_nearer_to_the_weights():
    many, given = [f"somebody@{number}" for number in range(60_000)], arms(v1=3, v2=1)
    found = [choose("m", given, key).target.version for key in many]
    assert found.count(2) / len(many) == pytest.approx(0.25, abs=0.005)


def test_an_arm_of_weight_0_gets_nothing():
    assert set(split(arms(v1=1, v2=0)).values()) == {"v1"}


def test_a_key_always_has_the_same_arm():
    assert split(arms(v1=1, v2=1)) == split(arms(v2=1, v1=1))


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations([0.0, 1.0, 1.5, 9.0], 2)))
def test_when_a_weight_moves_keys_move_one_way_only(before, after):
    one, other = split(arms(v1=3, v2=before, v3=2)), split(arms(v1=3, v2=after, v3=2))
    moved = [(one[key], other[key]) for key in KEYS if one[key] != other[key]]
    assert all((to if after > before else source) == "v2" for source, to in moved)
    share = abs(after / (5 + after) - before / (5 + before))
    assert len(moved) / len(KEYS) == pytest.approx(share, abs=0.015)


def test_an_arm_that_comes_takes_only_its_own_and_one_that_goes_gives_only_its_own():
    two, three = split(arms(v1=1, v2=1)), split(arms(v1=1, v2=1, canary=1))
    assert {three[key] for key in KEYS if two[key] != three[key]} == {"canary"}
    assert all(two[key] == three[key] for key in KEYS if three[key] != "canary")


def test_twice_all_weights_moves_nobody():
    assert split(arms(v1=1, v2=3)) == split(arms(v1=2, v2=6))


def test_models_share_their_users_out_independently():
    one, other = split(arms(v1=1, v2=1), "a"), split(arms(v1=1, v2=1), "b")
    assert sum(one[key] == other[key] for key in KEYS) / len(KEYS) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("given", [[Arm(version=3), Arm(label="v3")], [Arm(), Arm(label="newest")]], ids=["v3", "newest"])
def test_a_label_called_like_something_else_is_an_arm_of_its_own(given):
    found = [choose("m", given, key).target for key in KEYS]
    for arm in given:
        assert found.count(Target(arm.version, arm.label)) / len(KEYS) == pytest.approx(0.5, abs=0.015)


def test_without_arms_the_newest_answers():
    assert choose("m", [], "key") == Choice(Target(), "newest")


@pytest.mark.parametrize(
    ("path", "version", "label", "expected"),
    [
        (Target(), None, None, None),
        (Target(version=2), None, None, Choice(Target(version=2), "path")),
        (Target(label="stable"), None, None, Choice(Target(label="stable"), "path")),
        (Target(), "7", None, Choice(Target(version=7), "header")),
        (Target(), str(2**63 - 1), None, Choice(Target(version=2**63 - 1), "header")),
        (Target(), None, "canary", Choice(Target(label="canary"), "header")),
    ],
)
def test_a_request_may_ask_itself(path, version, label, expected):
    assert asked(path, version, label) == expected


@pytest.mark.parametrize(
    ("path", "version", "label", "saying"),
    [
        (Target(), "1", "canary", "both given"),
        (Target(version=1), "1", None, "path and by a header"),
        (Target(label="a"), None, "a", "path and by a header"),
        *((Target(), text, None, "is not a version") for text in ("", "-1", "1.0", "new", "٣", str(2**63), "9" * 5000, " 1")),
        (Target(), None, "", "is not a label"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_request_that_asks_for_nothing_sensible_is_told(path, version, label, saying):
    with pytest.raises(ValueError, match=saying):
        asked(path, version, label)


@pytest.mark.parametrize(
    ("shadow", "chosen", "draw", "expected"),
    [
        (None, Target(), 0.0, False),
        (Shadow(version=2, share=0.5), Target(), 0.49, True),
        (Shadow(version=2, share=0.5), Target(), 0.5, False),
        (Shadow(version=2, share=0.0), Target(), 0.0, False),
        (Shadow(version=2, share=1.0), Target(version=2), 0.0, False),
        (Shadow(label="canary", share=1.0), Target(version=2), 0.99, True),
    ],
)
def test_copies_are_a_share_of_what_the_shadow_does_not_answer_itself(shadow, chosen, draw, expected):
    assert is_shadowed(shadow, chosen, draw) is expected
