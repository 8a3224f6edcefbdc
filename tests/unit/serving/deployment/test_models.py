"""Which models are served: named, configured or all; what can never answer is refused, what cannot yet is left out."""

from __future__ import annotations

import pytest

from configs.deployment import ServedModel
from configs.errors import UsageError
from configs.gateway import Arm, GatewayConfig, Model, Shadow
from serving.deployment.models import Served, choose, unanswerable

PUBLISHED = {"taxi": [1, 2, 3], "leaves": [1], "empty": []}


@pytest.mark.parametrize(
    ("named", "configured", "names"),
    [
        ([], [], ["taxi", "leaves"]),
        ([], ["leaves"], ["leaves"]),
        (["taxi"], ["leaves"], ["taxi"]),
        (["taxi", "taxi"], [], ["taxi"]),
    ],
)
def test_models_are_those_named_or_configured_or_published(named, configured, names):
    choice = choose(named, {name: ServedModel() for name in configured}, PUBLISHED)
    assert [model.name for model in choice.models] == names
    assert choice.notes == ()


def test_without_any_model_there_is_nothing_to_serve():
    with pytest.raises(UsageError, match="no model is published"):
        choose([], {}, {"empty": []})


@pytest.mark.parametrize("name", ["empty", "unknown"])
def test_a_model_without_a_version_is_refused(name):
    with pytest.raises(UsageError, match=f"{name} has no published version"):
        choose([name], {}, PUBLISHED)


def test_another_store_may_have_it():
    rules = {"far": ServedModel(versions=[7], labels={"stable": 7})}
    assert choose(["far"], rules, PUBLISHED, unseen=True).models == (Served("far", 2, (7,), {"stable": 7}),)


def test_a_name_that_climbs_is_refused():
    with pytest.raises(UsageError, match="model name"):
        choose(["../x"], {}, PUBLISHED, unseen=True)


@pytest.mark.parametrize(
    ("rules", "labels"),
    [
        (ServedModel(labels={"stable": 3}), {"stable": 3}),
        (ServedModel(latest=2, labels={"stable": 2, "canary": 3}), {"stable": 2, "canary": 3}),
        (ServedModel(versions=[1, 3], labels={"stable": 1}), {"stable": 1}),
    ],
)
def test_labels_of_versions_that_are_loaded_are_kept(rules, labels):
    assert choose(["taxi"], {"taxi": rules}, PUBLISHED).models[0].labels == labels


def test_a_label_of_a_version_that_is_not_there_is_left_out_and_told():
    choice = choose(["taxi"], {"taxi": ServedModel(labels={"stable": 3, "canary": 4})}, PUBLISHED)
    assert choice.models[0].labels == {"stable": 3}
    assert choice.notes == ("deploy.models.taxi.labels.canary: version 4 is not published, so the label is left out; there are: 1, 2, 3",)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (ServedModel(labels={"old": 1}), r"labels\.old: version 1 would not be loaded"),
        (ServedModel(versions=[3], labels={"old": 2}), r"labels\.old: version 2 would not be loaded"),
        (ServedModel(labels={"a/b": 3}), r"labels: 'a/b' is not a label"),
        (ServedModel(versions=[9]), r"versions: version 9 is not published; there are: 1, 2, 3"),
    ],
)
def test_what_could_never_answer_is_refused(rules, message):
    with pytest.raises(UsageError, match=message):
        choose(["taxi"], {"taxi": rules}, PUBLISHED)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (Model(arms=[Arm(version=3), Arm(label="stable")]), []),
        (Model(arms=[Arm(version=1)]), ["version 1 is not loaded"]),
        (Model(shadow=Shadow(version=2)), ["version 2 is not loaded"]),
        (Model(arms=[Arm(label="canary")]), ["label canary stands for nothing"]),
        (Model(upstream="other", arms=[Arm(version=1)]), []),
        (Model(), []),
    ],
)
def test_what_the_gateway_would_ask_in_vain_is_told(rules, told):
    models = [Served("taxi", 1, (), {"stable": 3})]
    found = unanswerable(models, GatewayConfig(models={"taxi": rules}), PUBLISHED)
    assert len(found) == len(told)
    assert all(part in line for part, line in zip(told, found, strict=True))


def test_a_model_of_the_gateway_that_nobody_serves_is_told():
    found = unanswerable([Served("taxi")], GatewayConfig(models={"leaves": Model()}), PUBLISHED)
    assert found == ["gateway.models.leaves: the model is not among those served: taxi"]


def test_of_versions_that_are_not_known_nothing_is_said():
    assert unanswerable([Served("far")], GatewayConfig(models={"far": Model(arms=[Arm(version=5)])}), {}) == []
