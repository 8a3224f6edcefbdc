"""Every version store keeps the contract: the fake and the folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from configs.errors import UsageError
from serving.errors import ModelLoadError, NotPublished, StoreError, VersionDamaged
from serving.store import STORES, open_store
from serving.store.base import VersionStore
from serving.store.manifest import Identity, content_digest, digest_files
from serving.verdict import Reason, Verdict
from tests.fakes.store import FakeStore

IDENTITY = Identity(run_id="run-1", use_case="taxi", fingerprint="sha256:f", champion=None, metrics={"auc": 0.9})
REFUSAL = Verdict("evaluator", (Reason("threshold", "auc 0.5000 < 0.8", 0.5, 0.8),))


@dataclass
class Shelf:
    """A store, and how its medium is damaged behind its back."""

    store: VersionStore
    lose: Callable[[str, int], None]
    overwrite: Callable[[str, int, str, bytes], None]


def _shelf(kind: str, root: Path) -> Shelf:
    if kind == "fake":
        fake = FakeStore()
        return Shelf(
            fake,
            lambda model, number: fake.content[model].pop(number) and None,
            lambda model, number, name, content: fake.content[model][number].update({name: content}),
        )
    return Shelf(
        open_store(kind, str(root)),
        lambda model, number: shutil.rmtree(root / model / str(number)),
        lambda model, number, name, content: (root / model / str(number) / name).write_bytes(content) and None,
    )


@pytest.fixture(params=["fake", *STORES])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return _shelf(request.param, tmp_path / "store")


@pytest.fixture
def store(shelf: Shelf) -> VersionStore:
    return shelf.store


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a SavedModel."""
    folder = tmp_path / "model"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"weights")
    return folder


def numbers(store: VersionStore, model: str = "taxi") -> list[int]:
    return [version.number for version in store.versions(model)]


def test_an_empty_store_says_so(store):
    assert store.versions("taxi") == []
    assert store.live("taxi") is None
    assert store.history("taxi") == []
    assert list(store.models()) == []


def test_the_first_version_is_one_and_live(store, model):
    version = store.publish("taxi", model, IDENTITY)
    assert (version.model, version.number) == ("taxi", 1)
    assert store.versions("taxi") == [version]
    assert store.live("taxi") == version


def test_a_version_keeps_who_it_is(store, model):
    store.publish("taxi", model, IDENTITY)
    manifest = store.live("taxi").manifest
    assert manifest.identity == IDENTITY
    assert set(manifest.files) == {"saved_model.pb", "variables/variables.index"}
    assert manifest.digest.startswith("sha256:")


def test_the_highest_version_is_live(store, model):
    for _ in range(11):
        last = store.publish("taxi", model, IDENTITY)
    assert numbers(store) == list(range(1, 12))
    assert store.live("taxi") == last


def test_a_number_is_never_given_twice(shelf, model):
    for _ in range(3):
        shelf.store.publish("taxi", model, IDENTITY)
    shelf.lose("taxi", 3)
    assert shelf.store.live("taxi").number == 2
    assert shelf.store.publish("taxi", model, IDENTITY).number == 4
    for number in (1, 2, 4):
        shelf.lose("taxi", number)
    assert shelf.store.live("taxi") is None
    assert shelf.store.publish("taxi", model, IDENTITY).number == 5


def test_contents_never_change(store, model):
    first = store.publish("taxi", model, IDENTITY)
    (model / "saved_model.pb").write_bytes(b"another graph")
    (model / "more").write_bytes(b"")
    second = store.publish("taxi", model, IDENTITY)
    assert store.versions("taxi") == [first, second]
    assert first.manifest.digest != second.manifest.digest
    assert "more" not in first.manifest.files
    store.verify("taxi", 1)
    store.verify("taxi", 2)


def test_the_same_content_has_the_same_digest(store, model):
    first, second = (store.publish("taxi", model, IDENTITY) for _ in range(2))
    assert first.manifest.digest == second.manifest.digest
    assert (first.number, second.number) == (1, 2)


def test_a_manifest_of_an_earlier_life_is_not_content(store, model):
    first = store.publish("taxi", model, IDENTITY)
    (model / "assets.extra").mkdir()
    (model / "assets.extra" / "manifest.json").write_text("{}", encoding="utf-8")
    second = store.publish("taxi", model, IDENTITY)
    assert second.manifest.digest == first.manifest.digest
    assert second.manifest.version == 2
    store.verify("taxi", 2)


def test_a_refusal_publishes_nothing_and_is_remembered(store, model):
    store.publish("taxi", model, IDENTITY)
    event = store.refuse("taxi", REFUSAL, "run-2")
    assert numbers(store) == [1]
    assert store.history("taxi")[-1] == event
    assert (event.kind, event.version, event.run_id) == ("refuse", None, "run-2")
    assert Verdict.from_json(event.details) == REFUSAL


def test_history_tells_everything_in_order(store, model):
    store.refuse("taxi", REFUSAL, "run-0")
    for run in ("run-1", "run-2"):
        store.publish("taxi", model, Identity(run, "taxi"))
    told = [(event.kind, event.run_id, event.version) for event in store.history("taxi")]
    assert told == [("refuse", "run-0", None), ("publish", "run-1", 1), ("publish", "run-2", 2)]
    assert [event.digest for event in store.history("taxi")[1:]] == [version.manifest.digest for version in store.versions("taxi")]


def test_history_outlives_the_version(shelf, model):
    shelf.store.publish("taxi", model, IDENTITY)
    shelf.lose("taxi", 1)
    assert [event.version for event in shelf.store.history("taxi")] == [1]


def test_models_do_not_share_numbers(store, model):
    store.publish("taxi", model, IDENTITY)
    assert store.publish("bikes", model, IDENTITY).number == 1
    store.refuse("air", REFUSAL, "run-2")
    assert list(store.models()) == ["air", "bikes", "taxi"]
    assert [event.model for event in store.history("bikes")] == ["bikes"]


def test_what_is_no_saved_model_is_not_published(store, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        with pytest.raises(ModelLoadError, match=r"saved_model\.pb") as caught:
            store.publish("taxi", folder, IDENTITY)
        assert str(folder) in str(caught.value)
    assert store.live("taxi") is None
    assert store.history("taxi") == []


@pytest.mark.parametrize("name", ["", ".", "..", "../taxi", "a/b", "7", "7up", ".hidden", "taxi ", "tä", "a" * 64, "a\nb"])
def test_a_bad_model_name_is_the_callers_mistake(store, model, name):
    calls: list[Callable[[], Any]] = [
        lambda: store.publish(name, model, IDENTITY),
        lambda: store.versions(name),
        lambda: store.live(name),
        lambda: store.refuse(name, REFUSAL, "run-1"),
        lambda: store.history(name),
        lambda: store.verify(name, 1),
    ]
    for call in calls:
        with pytest.raises(UsageError, match="model name"):
            call()
    assert list(store.models()) == []


def test_what_was_never_published_cannot_be_verified(store, model):
    store.publish("taxi", model, IDENTITY)
    for name, number in (("taxi", 2), ("taxi", 0), ("bikes", 1)):
        with pytest.raises(NotPublished, match=f"{name} has no version {number}"):
            store.verify(name, number)


def test_a_changed_file_is_named(shelf, model):
    shelf.store.publish("taxi", model, IDENTITY)
    shelf.overwrite("taxi", 1, "variables/variables.index", b"tampered")
    with pytest.raises(VersionDamaged, match=r"taxi version 1: variables/variables\.index was changed$"):
        shelf.store.verify("taxi", 1)


def test_a_file_that_does_not_belong_is_named(shelf, model):
    shelf.store.publish("taxi", model, IDENTITY)
    shelf.overwrite("taxi", 1, "extra.txt", b"smuggled")
    with pytest.raises(VersionDamaged, match=r"extra\.txt does not belong there"):
        shelf.store.verify("taxi", 1)


def test_a_store_describes_itself_in_plain_values(store):
    assert json.loads(json.dumps(store.describe()))["kind"]


def test_a_model_that_changed_since_it_was_judged_is_not_published(store, model):
    with pytest.raises(StoreError, match="is not the model that was judged"):
        store.publish("taxi", model, Identity("run", "taxi"), digest="sha256:0")
    assert store.versions("taxi") == []
    known = content_digest(digest_files(model))
    assert store.publish("taxi", model, Identity("run", "taxi"), digest=known).manifest.digest == known


def test_a_model_judged_against_another_live_version_is_not_published(store, model):
    store.publish("taxi", model, Identity("run", "taxi"), over=None)
    for seen in (None, 7):
        with pytest.raises(StoreError, match="went live meanwhile"):
            store.publish("taxi", model, Identity("run", "taxi"), over=seen)
    assert store.publish("taxi", model, Identity("run", "taxi"), over=1).number == 2
