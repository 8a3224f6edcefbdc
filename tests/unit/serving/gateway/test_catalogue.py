"""What there is: from the store, from the servers, from both, from neither."""

from __future__ import annotations

import asyncio

import pytest

from serving.gateway import catalogue as catalogue_module
from serving.gateway.catalogue import Catalogue, live_version, version_rows
from serving.protocol.status import Code, State, StatusError, VersionStatus
from serving.store.local import LocalStore
from serving.store.manifest import Identity
from tests.unit.serving.gateway.asgi import log_of

PUBLISHED = {1: {"metrics": {"auc": 0.7}}, 2: {"metrics": {"auc": 0.8}}}


@pytest.fixture
def root(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    for number in range(3):
        (model / "saved_model.pb").write_text(str(number))
        LocalStore(tmp_path / "store").publish("taxi", model, Identity(f"run{number}", "taxi", metrics={"auc": (number + 7) / 10}))
    return tmp_path / "store"


def test_the_store_tells_models_versions_and_what_happened_newest_first(root):
    async def story() -> None:
        catalogue = Catalogue(str(root))
        assert await catalogue.models() == ["taxi"]
        found = await catalogue.published("taxi")
        assert {number: row["metrics"]["auc"] for number, row in found.items()} == {1: 0.7, 2: 0.8, 3: 0.9}
        assert [event["version"] for event in await catalogue.history("taxi")] == [3, 2, 1]

    asyncio.run(story())


@pytest.mark.parametrize("name", ["nope", "..", ".hidden", "a/b", "\0", "", "x" * 5000])
def test_a_name_that_it_does_not_have_is_told(root, name):
    async def story() -> None:
        catalogue = Catalogue(str(root))
        assert await catalogue.published(name) == {}
        with pytest.raises(StatusError, match="has no model") as caught:
            await catalogue.history(name)
        assert caught.value.code is Code.NOT_FOUND

    asyncio.run(story())


def test_without_a_store_there_is_no_history():
    async def story() -> None:
        catalogue = Catalogue(None)
        assert (await catalogue.models(), await catalogue.published("taxi")) == ([], {})
        with pytest.raises(StatusError, match="no version store"):
            await catalogue.history("taxi")

    asyncio.run(story())


@pytest.mark.parametrize("is_named", [False, True])
def test_a_store_that_is_not_there_is_told_and_seen_as_soon_as_it_is(root, is_named):
    there, later = root, root.with_name("later")

    async def story() -> None:
        catalogue = Catalogue(str(later)) if is_named else Catalogue(None, later)
        assert (await catalogue.models(), await catalogue.published("taxi")) == ([], {})
        with pytest.raises(StatusError, match=f"there is no version store in {later}, so there is no history"):
            await catalogue.history("taxi")
        there.rename(later)
        assert await catalogue.problem() is None
        assert await catalogue.models() == ["taxi"]
        assert len(await catalogue.history("taxi")) == 3

    with log_of("serving.gateway.catalogue") as lines:
        asyncio.run(story())
    line, then = lines
    assert line.startswith(f"there is no version store in {later} yet")
    assert then == f"the version store in {later} is there"


FORM = {"signature": "predict", "fields": [{"name": "x", "kind": "number"}]}


def test_examples_of_a_version_are_read_once(root, monkeypatch):
    read: list[str] = []
    monkeypatch.setattr(catalogue_module, "read_rows", lambda place, _: read.append(place.name) or [{"x": float(place.name)}])

    async def story() -> None:
        catalogue = Catalogue(str(root))
        assert [await catalogue.examples("taxi", number, FORM) for number in (2, 2, 3, 3)] == [[{"x": 2.0}]] * 2 + [[{"x": 3.0}]] * 2
        # One that the store does not have may come yet.
        assert [await catalogue.examples(model, number, FORM) for model, number in (("taxi", 9), ("..", 1))] == [[], []]
        assert await Catalogue(None).examples("taxi", 2, FORM) == []

    asyncio.run(story())
    assert read == ["2", "3"]


def test_a_store_that_goes_away_is_an_empty_one(root):
    async def story() -> None:
        catalogue = Catalogue(str(root))
        root.rename(root.with_name("gone"))
        assert (await catalogue.models(), await catalogue.published("taxi")) == ([], {})

    asyncio.run(story())


def status(version: int, state: State, code: Code = Code.OK, message: str = "") -> VersionStatus:
    return VersionStatus(version, state, code, message)


def test_what_is_served_and_what_is_published_are_one_list():
    rows = version_rows(
        [status(3, State.END, Code.NOT_FOUND, "no variables"), status(2, State.AVAILABLE), status(4, State.END, Code.UNKNOWN)], PUBLISHED
    )
    assert rows == [
        {"version": 4, "state": "END", "problem": "UNKNOWN"},
        {"version": 3, "state": "END", "problem": "no variables"},
        {"version": 2, "state": "AVAILABLE", "metrics": {"auc": 0.8}},
        {"version": 1, "state": "NOT_SERVED", "metrics": {"auc": 0.7}},
    ]


@pytest.mark.parametrize(
    ("states", "live"),
    [
        ({}, None),
        ({1: State.AVAILABLE, 2: State.AVAILABLE, 3: State.LOADING}, 2),
        ({1: State.UNLOADING, 2: State.END}, None),
    ],
)
def test_live_is_the_newest_that_answers(states, live):
    assert live_version([status(number, state) for number, state in states.items()]) == live
