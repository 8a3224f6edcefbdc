"""A folder as a store: what a crash, a full disk, a second publisher or a stray hand may and may not do to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.errors import StoreError, StoreFull, VersionDamaged
from serving.store import history
from serving.store.history import LEDGER
from serving.store.local import LocalStore
from serving.store.manifest import MANIFEST, Identity
from serving.verdict import Reason, Verdict

IDENTITY = Identity("run", "taxi")
ROOT = Path(__file__).parents[4]
# Pages of a tmpfs: what it gives away at once.
PAGE = 4096


def make_model(folder: Path, size: int = 100) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.data").write_bytes(os.urandom(size))
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


def publisher(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "tests.unit.serving.store.publisher", *arguments], cwd=ROOT, stdout=-1, text=True)


def ledger_versions(root: Path) -> list[int | None]:
    """What the file itself tells, not what the store adds to it."""
    return [event.version for event in history.read(root / "taxi" / LEDGER)]


def staging(root: Path) -> list[str]:
    return [path.name for path in (root / "taxi").glob(".staging*")]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A store for each step at which a second publish was killed, by the step's name; in the last one it completed."""
    folder = tmp_path_factory.mktemp("killed")
    with publisher("kill", str(folder), str(make_model(folder / "model"))) as process:
        names = json.loads(process.communicate(timeout=60)[0])
    assert process.returncode == 0
    return {f"{number} {name}": folder / str(number) for number, name in enumerate(names, start=1)}


def test_the_kills_reach_every_part_of_a_publish(killed):
    steps = [name.split()[1] for name in killed]
    assert steps[-1] == "completed"
    assert len(steps) > 20
    assert steps.count("os.rename") == 1
    # Before the rename: each file and folder; after it: the parent and the ledger.
    after = steps.index("os.rename")
    assert steps[:after].count("fsync") >= 5
    assert steps[after:].count("fsync") == 2


def test_a_killed_publish_leaves_no_half_version(killed):
    for step, root in killed.items():
        store = LocalStore(root)
        folders = sorted(int(path.name) for path in (root / "taxi").iterdir() if path.name.isdigit())
        assert folders in ([1], [1, 2]), step
        assert [version.number for version in store.versions("taxi")] == folders, step
        for number in folders:
            store.verify("taxi", number)
    assert {len(LocalStore(root).versions("taxi")) for root in killed.values()} == {1, 2}


def test_history_tells_every_whole_version_once_also_after_a_kill(killed):
    for step, root in killed.items():
        store = LocalStore(root)
        told = [event.version for event in store.history("taxi")]
        assert told == [version.number for version in store.versions("taxi")], step
    # Among them the crash between rename and ledger, which only the store's own look can tell.
    assert any(ledger_versions(root) != [event.version for event in LocalStore(root).history("taxi")] for root in killed.values())


def test_the_publish_after_a_kill_clears_up(killed, tmp_path):
    model = make_model(tmp_path / "model")
    assert any(staging(root) for root in killed.values())
    for number, (step, left) in enumerate(killed.items()):
        root = tmp_path / str(number)
        shutil.copytree(left, root)
        before = [version.number for version in LocalStore(root).versions("taxi")]
        version = LocalStore(root).publish("taxi", model, IDENTITY)
        assert version.number == before[-1] + 1, step
        assert staging(root) == [], step
        assert ledger_versions(root) == [*before, version.number], step


def test_the_refusal_after_a_kill_clears_up_too(killed, tmp_path):
    for number, (step, left) in enumerate(killed.items()):
        root = tmp_path / str(number)
        shutil.copytree(left, root)
        LocalStore(root).refuse("taxi", Verdict("data", (Reason("a", "b"),)), "run")
        assert staging(root) == [], step
        assert ledger_versions(root) == [*(version.number for version in LocalStore(root).versions("taxi")), None], step


def test_two_publishers_at_once_never_meet(tmp_path, model):
    racers = tmp_path / "racers"
    racers.mkdir()
    processes = [publisher("race", str(racers), str(model), "10") for _ in range(2)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    store = LocalStore(racers / "store")
    assert [version.number for version in store.versions("taxi")] == list(range(1, 21))
    for number in range(1, 21):
        store.verify("taxi", number)
    assert ledger_versions(racers / "store") == list(range(1, 21))
    runs = {version.manifest.identity.run_id for version in store.versions("taxi")}
    assert runs == {f"{process.pid}-{turn}" for process in processes for turn in range(10)}


def test_a_publisher_that_waits_too_long_says_so(tmp_path, model):
    from filelock import FileLock

    (tmp_path / "store" / "taxi").mkdir(parents=True)
    store = LocalStore(tmp_path / "store", lock_seconds=0.01)
    with (
        FileLock(tmp_path / "store" / "taxi" / ".lock"),
        pytest.raises(StoreError, match=r"another process has held the store for 0\.01 s"),
    ):
        store.publish("taxi", model, IDENTITY)
    assert store.publish("taxi", model, IDENTITY).number == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path, free_pages: int) -> Path:
    """A file that leaves so many pages of the disk."""
    filler = disk / "filler"
    free = shutil.disk_usage(disk).free
    filler.write_bytes(b"\0" * max(0, free - free_pages * PAGE))
    return filler


@pytest.mark.parametrize("ledger_room", [2000, 10], ids=["with room in the ledger", "with the ledger's page full"])
def test_a_full_disk_publishes_all_or_nothing(small_disk, tmp_path, ledger_room):
    model = make_model(tmp_path / "model", PAGE)
    outcomes = set()
    for free_pages in range(9):
        root = small_disk / "store"
        store = LocalStore(root)
        store.publish("taxi", model, IDENTITY)
        ledger = root / "taxi" / LEDGER
        ledger.write_bytes(ledger.read_bytes() + b"\n" * (PAGE - ledger_room - ledger.stat().st_size))
        filler = fill(small_disk, free_pages)
        try:
            outcome = store.publish("taxi", model, Identity("second", "taxi")).number
        except StoreFull:
            outcome = 0
        visible = [version.number for version in store.versions("taxi")]
        assert visible == ([1, 2] if outcome else [1]), f"{free_pages} free pages"
        assert staging(root) == []
        assert [event.version for event in store.history("taxi")] == visible
        assert all(json.loads(line) for line in ledger.read_bytes().split(b"\n") if line), f"{free_pages} free pages"
        for number in visible:
            store.verify("taxi", number)
        filler.unlink()
        store.publish("taxi", model, IDENTITY)
        assert ledger_versions(root) == [*visible, visible[-1] + 1]
        outcomes.add(outcome)
        shutil.rmtree(root)
    assert outcomes == {0, 2}


def test_a_refusal_on_a_full_disk_is_told_as_such(small_disk, tmp_path):
    store = LocalStore(small_disk)
    store.publish("taxi", make_model(tmp_path / "model"), IDENTITY)
    fill(small_disk, 0)
    with pytest.raises(StoreFull, match="no space left"):
        store.refuse("taxi", Verdict("data", (Reason("a", "b" * 2 * PAGE),)), "run")
    assert [event.kind for event in store.history("taxi")] == ["publish"]


def test_a_missing_file_is_named(tmp_path, model):
    store = LocalStore(tmp_path / "store")
    version = store.publish("taxi", model, IDENTITY)
    (version.path / "variables" / "variables.data").unlink()
    with pytest.raises(VersionDamaged, match=r"taxi version 1: variables/variables\.data is missing"):
        store.verify("taxi", 1)


def test_a_forged_manifest_is_noticed(tmp_path, model):
    store = LocalStore(tmp_path / "store")
    path = store.publish("taxi", model, IDENTITY).path / MANIFEST
    path.write_text(path.read_text(encoding="utf-8").replace("sha256:", "sha256:0"), encoding="utf-8")
    with pytest.raises(VersionDamaged, match="the digest does not match"):
        store.verify("taxi", 1)


def test_what_is_no_whole_version_is_neither_listed_nor_overwritten(tmp_path, model):
    store = LocalStore(tmp_path / "store")
    version = store.publish("taxi", model, IDENTITY)
    home = version.path.parent
    shutil.copytree(version.path, home / "2")
    (home / "2" / MANIFEST).unlink()
    (home / "3").write_text("a file", encoding="utf-8")
    (home / "notes").mkdir()
    assert [found.number for found in store.versions("taxi")] == [1]
    assert store.publish("taxi", model, IDENTITY).number == 4
    assert (home / "2" / "saved_model.pb").exists()


def test_a_ledger_cut_off_by_a_crash_is_read_and_continued(tmp_path, model):
    store = LocalStore(tmp_path / "store")
    for _ in range(2):
        store.publish("taxi", model, IDENTITY)
    ledger = tmp_path / "store" / "taxi" / LEDGER
    ledger.write_bytes(ledger.read_bytes()[:-20])
    assert [event.version for event in store.history("taxi")] == [1, 2]
    store.publish("taxi", model, IDENTITY)
    assert ledger_versions(tmp_path / "store") == [1, 2, 3]


def test_a_root_that_cannot_be_made_is_a_store_error(tmp_path, model):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match="could not make"):
        LocalStore(tmp_path / "file" / "store").publish("taxi", model, IDENTITY)


def test_servers_see_only_whole_versions(tmp_path, model):
    store = LocalStore(tmp_path / "store")
    store.publish("taxi", model, IDENTITY)
    store.refuse("taxi", Verdict("data", (Reason("a", "b"),)), "run")
    children = {path.name for path in (tmp_path / "store" / "taxi").iterdir()}
    assert {name for name in children if name.isdigit()} == {"1"}
    assert children - {"1"} == {LEDGER, ".lock"}


def test_a_version_copied_to_another_number_was_not_published(tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"graph")
    store = LocalStore(tmp_path / "store")
    first = store.publish("taxi", model, Identity("run", "taxi"))
    shutil.copytree(first.path, first.path.with_name("2"))
    with pytest.raises(VersionDamaged, match="its manifest says it is version 1"):
        store.verify("taxi", 2)
    assert store.publish("taxi", model, Identity("run", "taxi")).number == 3
    assert [event.version for event in store.history("taxi")] == [1, 3]


def test_what_no_model_can_be_called_is_no_model(tmp_path):
    for name in ("lost+found", ".staging", "taxi", "9"):
        (tmp_path / name).mkdir()
    assert LocalStore(tmp_path).models() == ["taxi"]
